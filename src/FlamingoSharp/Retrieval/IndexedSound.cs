namespace FlamingoSharp.Retrieval;

/// <summary>A sound of an index: where it is, what it is, and its vector.</summary>
public sealed record IndexedSound
{
    /// <summary>Names it in its index: the content's hash, with start and duration where a part of a file is meant.</summary>
    public required string Id { get; init; }

    /// <summary>The file, as it was named when it was added.</summary>
    public required string Path { get; init; }

    /// <summary>SHA-256 of the file's bytes, hexadecimal.</summary>
    public required string Hash { get; init; }

    /// <summary>What is heard; may be empty.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>A description; null where there is none.</summary>
    public string? Caption { get; init; }

    /// <summary>Where in the file it begins, in seconds.</summary>
    public double StartSeconds { get; init; }

    /// <summary>How much of the file is meant, in seconds; null for all that the encoder hears.</summary>
    public double? DurationSeconds { get; init; }

    /// <summary>The encoder's vector, of length 1; empty where it was not asked for.</summary>
    public ReadOnlyMemory<float> Embedding { get; init; }

    /// <summary>The answer that this sound stands for when it is shown as an example: its labels, else its caption, else null.</summary>
    public string? Meaning => Labels.Count > 0 ? string.Join(", ", Labels) : Caption;

    /// <summary>The id of a part of a content.</summary>
    public static string IdOf(string hash, double startSeconds = 0, double? durationSeconds = null) =>
        startSeconds == 0 && durationSeconds is null ? hash : FormattableString.Invariant($"{hash}@{startSeconds:0.###}+{durationSeconds:0.###}");
}

/// <summary>A sound that was found.</summary>
/// <param name="Sound">The sound.</param> <param name="Similarity">Cosine between its vector and the one asked for, -1 to 1.</param>
public sealed record SoundMatch(IndexedSound Sound, double Similarity);
