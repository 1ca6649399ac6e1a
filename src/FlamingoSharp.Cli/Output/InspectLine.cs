namespace FlamingoSharp.Cli.Output;

/// <summary>A model or checkpoint as <c>inspect --json</c> prints it.</summary>
internal sealed record InspectLine
{
    public required string Path { get; init; }

    /// <summary>The configuration's name; null for a bare checkpoint.</summary>
    public string? Name { get; init; }

    public required IReadOnlyList<PartLine> Parts { get; init; }

    public required long Parameters { get; init; }

    /// <summary>As stored.</summary>
    public required long Bytes { get; init; }

    /// <summary>Element types as stored, with the number of tensors of each.</summary>
    public required IReadOnlyDictionary<string, int> Dtypes { get; init; }

    public LimitsLine? Limits { get; init; }
}

/// <summary>One part of a model.</summary>
internal sealed record PartLine(string Part, int Tensors, long Parameters, long Bytes);

/// <summary>What a model can take.</summary>
internal sealed record LimitsLine
{
    /// <summary>Longest sound; what follows is not heard.</summary>
    public required double SecondsPerSound { get; init; }

    public required int SampleRate { get; init; }

    public required int WindowsPerSound { get; init; }

    /// <summary>Sounds that a prompt is laid out for.</summary>
    public required int SoundSlots { get; init; }

    /// <summary>Prompt and answer together.</summary>
    public required int ContextTokens { get; init; }

    public required int VocabularySize { get; init; }

    public required string PromptFormat { get; init; }
}
