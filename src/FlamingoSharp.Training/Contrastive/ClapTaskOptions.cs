namespace FlamingoSharp.Training;

/// <summary>How a CLAP model learns.</summary>
public sealed record ClapTaskOptions
{
    /// <summary>Pairs of a sound and a text in a micro-batch; each has the others as its negatives, so more of them teach more.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Share of pairs whose text is the caption; the others get a list of labels, or one label.</summary>
    public double CaptionShare { get; init; } = 0.5;

    /// <summary>Decoupled weight decay of matrices, but for tables.</summary>
    public double WeightDecay { get; init; } = 0.05;

    /// <summary>Factor on the learning rate of the sound encoder; below 1 for one that knows sounds already.</summary>
    public double EncoderRateScale { get; init; } = 1;

    /// <summary>Seed of what is drawn, and of first values.</summary>
    public long Seed { get; init; } = 42;
}
