namespace FlamingoSharp.Generation;

/// <summary>Why a sequence ended.</summary>
public enum FinishReason
{
    /// <summary>A stop token or a stop text came.</summary>
    Stop,

    /// <summary>The most tokens allowed, or the model's context, were used up.</summary>
    Length,
}

/// <summary>One generated sequence.</summary>
public sealed record GeneratedSequence
{
    /// <summary>Index of the prompt in the batch.</summary>
    public required int Prompt { get; init; }

    /// <summary>Which of the prompt's sequences: the number of the draw, or the rank among its hypotheses, from 0.</summary>
    public required int Candidate { get; init; }

    /// <summary>The prompt's tokens.</summary>
    public required IReadOnlyList<int> PromptIds { get; init; }

    /// <summary>The generated tokens; the stop token, if one came, is the last.</summary>
    public required IReadOnlyList<int> GeneratedIds { get; init; }

    /// <summary>Why the sequence ended.</summary>
    public required FinishReason Finish { get; init; }

    /// <summary>
    /// Beam search: sum of log-probabilities / length^penalty. Otherwise the sum of log-probabilities of the unfiltered
    /// distribution, when <see cref="GenerationOptions.LogProbabilities"/> asks for it.
    /// </summary>
    public double? Score { get; init; }

    /// <summary>What the generated tokens spell, without special tokens and up to a stop text; null when they were not spelled.</summary>
    public string? Text { get; init; }

    /// <summary>Raw logits of each step, [vocabulary] each.</summary>
    internal IReadOnlyList<float[]>? StepLogits { get; init; }

    /// <summary>Prompt and generated tokens.</summary>
    public IReadOnlyList<int> Ids => [.. PromptIds, .. GeneratedIds];
}

/// <summary>Where the time of a generation went.</summary>
/// <param name="Prefill">Running the prompts, until the first logits are there.</param>
/// <param name="Decode">Everything after: one step a token.</param>
/// <param name="DecodedTokens">Tokens that came out of those steps, over all rows; the first of each sequence comes out of the prefill.</param>
public readonly record struct GenerationTiming(TimeSpan Prefill, TimeSpan Decode, int DecodedTokens)
{
    /// <summary>Tokens per second after the first; 0 when there were none.</summary>
    public double DecodeTokensPerSecond => DecodedTokens == 0 ? 0 : DecodedTokens / Decode.TotalSeconds;

    /// <summary>The time of two generations, one after the other.</summary>
    public static GenerationTiming operator +(GenerationTiming first, GenerationTiming then) => first.Add(then);

    /// <inheritdoc cref="op_Addition"/>
    public GenerationTiming Add(GenerationTiming then) => new(Prefill + then.Prefill, Decode + then.Decode, DecodedTokens + then.DecodedTokens);
}

/// <summary>What a batch of prompts was answered with.</summary>
public sealed record GenerationResult
{
    /// <summary>All sequences, those of the first prompt first.</summary>
    public required IReadOnlyList<GeneratedSequence> Sequences { get; init; }

    /// <summary>Where the time went.</summary>
    public required GenerationTiming Timing { get; init; }

    /// <summary>The seed that repeats these draws.</summary>
    public required long Seed { get; init; }

    /// <summary>Prompt and generated tokens of every sequence, the shorter ones filled with a pad id at the right.</summary>
    public int[][] PaddedIds(int padToken)
    {
        int longest = Sequences.Max(s => s.PromptIds.Count + s.GeneratedIds.Count);
        return [.. Sequences.Select(s =>
        {
            var ids = s.Ids;
            return (int[])[.. ids, .. Enumerable.Repeat(padToken, longest - ids.Count)];
        })];
    }
}

/// <summary>One token of a running generation.</summary>
/// <param name="Prompt">Index of the prompt in the batch.</param>
/// <param name="Candidate">Which of the prompt's sequences.</param>
/// <param name="Index">Position among the generated tokens, from 0.</param>
/// <param name="Id">The token.</param>
/// <param name="Finish">Why the sequence ends with this token; null when it goes on.</param>
public readonly record struct GeneratedToken(int Prompt, int Candidate, int Index, int Id, FinishReason? Finish);
