namespace FlamingoSharp.Embeddings;

/// <summary>What a sound is, as a direction: sounds and texts of one meaning point the same way.</summary>
/// <param name="Vector">Of length 1.</param>
public sealed record SoundEmbedding(float[] Vector)
{
    /// <summary>Windows that were heard; of more than one, the vector is the mean of theirs, scaled to length 1.</summary>
    public required int Windows { get; init; }

    /// <summary>Seconds of the sound inside the windows.</summary>
    public required double SecondsHeard { get; init; }

    /// <summary>Seconds after the last window, which were not heard.</summary>
    public required double SecondsDropped { get; init; }

    /// <summary>Defects of the file that were read around, one sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
