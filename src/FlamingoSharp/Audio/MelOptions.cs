namespace FlamingoSharp.Audio;

/// <summary>How frequencies are spread over mel bands, and how the bands are weighted.</summary>
public enum MelScale
{
    /// <summary>Linear below 1 kHz, logarithmic above; triangles of equal area (librosa's default).</summary>
    Slaney,

    /// <summary>2595·log10(1 + f/700); triangles of height 1 (torchaudio's default).</summary>
    Htk,
}

/// <summary>A log-mel spectrogram. Defaults: the ClapCap encoder of Audio Flamingo 1.</summary>
public sealed record MelOptions
{
    /// <summary>
    /// The rate in Hz that the mel bank assumes. ClapCap's is 32 kHz although its sound is sampled at 44.1 kHz: its bands lie
    /// 1.38 times higher than they say, and its weights know them so.
    /// </summary>
    public int SampleRate { get; init; } = 32000;

    /// <summary>Samples in one Fourier transform, and in its (periodic Hann) window.</summary>
    public int FftSize { get; init; } = 1024;

    /// <summary>Samples from one frame to the next.</summary>
    public int Hop { get; init; } = 320;

    /// <summary>Number of mel bands.</summary>
    public int Mels { get; init; } = 64;

    /// <summary>Lower edge of the first band, in Hz.</summary>
    public double MinimumHz { get; init; } = 50;

    /// <summary>Upper edge of the last band, in Hz.</summary>
    public double MaximumHz { get; init; } = 14000;

    /// <summary>How the bands are spread and weighted.</summary>
    public MelScale Scale { get; init; } = MelScale.Slaney;

    /// <summary>Power below which a band counts as silent; 1e-10 is -100 dB.</summary>
    public double Floor { get; init; } = 1e-10;

    /// <summary>Frames that a sound gives: the first is centred on sample 0.</summary>
    /// <param name="samples">Number of samples.</param>
    public int Frames(long samples) => checked((int)(1 + samples / Hop));
}
