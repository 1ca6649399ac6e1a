namespace FlamingoSharp.Training;

/// <summary>How an encoder learns to tag sounds before a language model listens to it.</summary>
public sealed record TaggingOptions
{
    /// <summary>Windows in a step.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Decoupled weight decay of matrices.</summary>
    public double WeightDecay { get; init; } = 0.05;

    /// <summary>Weight of the tags' loss (mean over tags) beside the concepts' cross entropy.</summary>
    public double TagWeight { get; init; } = 10;

    /// <summary>Training sounds that must carry a tag before it is learned.</summary>
    public int MinimumTagCount { get; init; } = 4;

    /// <summary>Seed of first values, sampling and augmentation.</summary>
    public long Seed { get; init; } = 42;
}

/// <summary>How spectrograms are varied in training.</summary>
public sealed record MelAugmentationOptions
{
    /// <summary>Chance that two sounds are added together, with the tags of both.</summary>
    public double MixChance { get; init; } = 0.1;

    /// <summary>Loudness of the second sound relative to the first, at least this many decibels.</summary>
    public double MixMinimumDecibels { get; init; } = -12;

    /// <summary>Largest change of loudness, in decibels.</summary>
    public double GainDecibels { get; init; } = 5;

    /// <summary>Largest rotation in time, in frames.</summary>
    public int RollFrames { get; init; } = 255;

    /// <summary>Chance that a sound is put into a room.</summary>
    public double ReverbChance { get; init; } = 0.3;

    /// <summary>Shortest and longest time, in seconds, over which a room's echo falls by 60 dB.</summary>
    public (double Shortest, double Longest) ReverbSeconds { get; init; } = (0.2, 2);

    /// <summary>Time between frames, in seconds.</summary>
    public double FrameSeconds { get; init; } = 0.02;

    /// <summary>Bands of time that are silenced, and their largest width in frames.</summary>
    public (int Count, int Width) TimeMasks { get; init; } = (1, 32);

    /// <summary>Bands of frequency that are silenced, and their largest width in mel bands.</summary>
    public (int Count, int Width) FrequencyMasks { get; init; } = (1, 8);

    /// <summary>Chance that everything above a random band is silenced, so that a source's bandwidth does not give it away.</summary>
    public double LowPassChance { get; init; } = 0.2;

    /// <summary>Standard deviation of a random, smooth change of the spectrum, in decibels.</summary>
    public double TiltDecibels { get; init; } = 4;

    /// <summary>Chance that a sound is filtered by a curve with a few random bends.</summary>
    public double FilterChance { get; init; } = 0.5;

    /// <summary>Largest gain of that filter, up or down, in decibels.</summary>
    public double FilterDecibels { get; init; } = 8;

    /// <summary>Chance that everything below a random band is silenced.</summary>
    public double HighPassChance { get; init; } = 0.15;

    /// <summary>Chance that a sound is made faster or slower, and higher or lower.</summary>
    public double WarpChance { get; init; } = 0.5;

    /// <summary>Largest factor of speed, up or down.</summary>
    public double WarpFactor { get; init; } = 1.25;

    /// <summary>Largest shift in frequency, in mel bands.</summary>
    public int WarpBands { get; init; } = 3;

    /// <summary>Chance that steady noise is added.</summary>
    public double NoiseChance { get; init; } = 0.6;

    /// <summary>Level of that noise in each band, in decibels; a peak-normalised sound reaches 10 to 30.</summary>
    public (double Least, double Most) NoiseDecibels { get; init; } = (-90, -25);

    /// <summary>Of a sound that is drowned, how much louder than its loudest frame the noise is at most, in decibels.</summary>
    public double DrownedDecibels { get; init; } = 15;
}
