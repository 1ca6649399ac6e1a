using System.Text.Json.Serialization;

namespace FlamingoSharp.Training.Sounds;

/// <summary>What a sound is described by, whether it was recorded (<see cref="Clip"/>) or is rendered (<see cref="Recipe"/>).</summary>
public abstract record LabelledSound
{
    /// <summary>The key that questions and stores use; unique over clips and recipes.</summary>
    [JsonRequired]
    public string Id { get; init; } = "";

    /// <summary>Which part of the data this belongs to: train, val or test.</summary>
    [JsonRequired]
    public string Split { get; init; } = "";

    /// <summary>sound, music or speech.</summary>
    [JsonRequired]
    public string Domain { get; init; } = "";

    /// <summary>Sounds of one group are variants of each other and lie in one split.</summary>
    public string Group { get; init => field = value ?? ""; } = "";

    /// <summary>A sentence that describes the sound.</summary>
    [JsonRequired]
    public string Caption { get; init; } = "";

    /// <summary>Labels, most specific first; some carry a key ("language:English", "count:3").</summary>
    [JsonRequired]
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Length as the catalogue states it, in seconds; null where only rendering tells.</summary>
    [JsonPropertyName("duration_s")]
    public double? DurationSeconds { get; init; }
}

/// <summary>One recorded clip: a line of <c>catalogue.jsonl</c>.</summary>
public sealed record Clip : LabelledSound
{
    /// <summary>The package that the file comes from; the first folder of its path.</summary>
    [JsonRequired]
    public string Package { get; init; } = "";

    /// <summary>The file, relative to the package's folder.</summary>
    [JsonRequired]
    public string Path { get; init; } = "";

    /// <summary>Where the used part starts, in seconds into the file.</summary>
    [JsonPropertyName("start_s")]
    public double StartSeconds { get; init; }

    /// <summary>How much is used from the start on, in seconds; null is all of it.</summary>
    [JsonPropertyName("use_s")]
    public double? UseSeconds { get; init; }

    /// <summary>One key per kind of sound; null for speech.</summary>
    public string? Concept { get; init; }

    /// <summary>How far the labels can be trusted: strong, medium or weak.</summary>
    public string LabelQuality { get; init => field = value ?? ""; } = "";

    /// <summary>Who speaks, where known.</summary>
    public string? Speaker { get; init; }

    /// <summary>The words, where the package gives them.</summary>
    public string? Transcript { get; init; }

    /// <summary>The licence of the file, as its package states it.</summary>
    public string License { get; init => field = value ?? ""; } = "";
}
