using FlamingoSharp.Generation;

namespace FlamingoSharp.Training.Journals;

/// <summary>Every option of generation that can change an answer, as answers and journals keep it. What has no effect is null.</summary>
internal sealed record GenerationFacts
{
    public required int MaxTokens { get; init; }

    public required int Beams { get; init; }

    public required bool Sample { get; init; }

    /// <summary>What follows, up to the seed, holds for sampling alone.</summary>
    public double? Temperature { get; init; }

    public int? TopK { get; init; }

    public double? TopP { get; init; }

    public long? Seed { get; init; }

    /// <summary>Holds for beams alone.</summary>
    public double? LengthPenalty { get; init; }

    public string? StopStrings { get; init; }

    /// <summary>True, or null.</summary>
    public bool? ReferenceFewShotBug { get; init; }

    /// <summary>The facts of options.</summary>
    /// <param name="options">How answers are generated.</param> <param name="seed">The seed that was drawn where the options have none.</param>
    public static GenerationFacts Of(GenerationOptions options, long? seed = null) => new()
    {
        MaxTokens = options.MaxNewTokens,
        Beams = options.NumBeams,
        Sample = options.Sample,
        Temperature = options.Sample ? options.Temperature : null,
        TopK = options.Sample ? options.TopK : null,
        TopP = options.Sample ? options.TopP : null,
        Seed = options.Sample ? options.Seed ?? seed : null,
        LengthPenalty = options.NumBeams > 1 ? options.LengthPenalty : null,
        StopStrings = options.StopStrings.Count > 0 ? string.Join(" | ", options.StopStrings) : null,
        ReferenceFewShotBug = options.ReferenceFewShotBug ? true : null,
    };
}
