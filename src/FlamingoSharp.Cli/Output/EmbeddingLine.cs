namespace FlamingoSharp.Cli.Output;

/// <summary>One embedding, as <c>embed --json</c> prints it: of a file or of a text.</summary>
internal sealed record EmbeddingLine
{
    public string? File { get; init; }

    public string? Text { get; init; }

    public required IReadOnlyList<float> Embedding { get; init; }

    public required int Dimensions { get; init; }

    public int? Windows { get; init; }

    public double? SecondsHeard { get; init; }

    public double? SecondsDropped { get; init; }

    public IReadOnlyList<string>? Warnings { get; init; }

    public required string Model { get; init; }

    /// <summary>Embeddings of models of one hash may be compared.</summary>
    public required string WeightsHash { get; init; }
}

/// <summary>One file, as <c>classify --zero-shot --json</c> prints it.</summary>
internal sealed record ZeroShotLine
{
    public required string File { get; init; }

    public required string Label { get; init; }

    public required double Probability { get; init; }

    /// <summary>Every label, the likeliest first.</summary>
    public required IReadOnlyList<LabelScoreLine> Scores { get; init; }

    public required double SecondsHeard { get; init; }

    public required double SecondsDropped { get; init; }

    public required IReadOnlyList<string> Warnings { get; init; }

    public required string Model { get; init; }

    public required string WeightsHash { get; init; }

    /// <summary>The text of a label, with <c>{0}</c> in its place.</summary>
    public required string Template { get; init; }

    /// <summary>The factor between similarities and what the probabilities are the softmax of.</summary>
    public required double LogitScale { get; init; }
}

/// <summary>One label of a zero-shot classification.</summary>
internal sealed record LabelScoreLine(string Label, double Probability, double Similarity);
