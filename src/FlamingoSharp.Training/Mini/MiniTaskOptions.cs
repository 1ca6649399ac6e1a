namespace FlamingoSharp.Training;

/// <summary>How the mini model learns to caption and to answer.</summary>
public sealed record MiniTaskOptions
{
    /// <summary>Texts in a step.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Decoupled weight decay of matrices.</summary>
    public double WeightDecay { get; init; } = 0.05;

    /// <summary>The encoder's share of the learning rate.</summary>
    public double EncoderRate { get; init; } = 0.3;

    /// <summary>Weight of naming what is heard from the encoder's vectors alone, beside the texts.</summary>
    public double TagWeight { get; init; } = 0.3;

    /// <summary>Seed of first values, sampling and variation.</summary>
    public long Seed { get; init; } = 42;
}
