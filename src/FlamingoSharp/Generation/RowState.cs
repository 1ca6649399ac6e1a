namespace FlamingoSharp.Generation;

/// <summary>
/// One sequence while it is generated: its tokens, its draws, its limits. Nothing in it depends on the other rows of the
/// batch, so rows can join and leave a running session.
/// </summary>
internal sealed class RowState
{
    private readonly GenerationOptions _options;
    private readonly int _mostTokens;
    private readonly LogitFilter? _filter;
    private readonly DrawStream _draws;
    private readonly List<int> _generated = [];
    private readonly List<float[]>? _logits;
    private double _logProbability;

    /// <param name="prompt">Index of the prompt in the batch.</param> <param name="candidate">Which of the prompt's sequences.</param>
    /// <param name="promptIds">The prompt's tokens.</param> <param name="options">Validated, with stop tokens.</param>
    /// <param name="seed">Seed of the draws.</param> <param name="mostTokens">Most tokens to generate, at least 1.</param>
    public RowState(int prompt, int candidate, IReadOnlyList<int> promptIds, GenerationOptions options, long seed, int mostTokens)
    {
        (Prompt, Candidate, PromptIds, Slot) = (prompt, candidate, promptIds, prompt);
        (_options, _mostTokens) = (options, mostTokens);
        _draws = new DrawStream(seed, candidate);
        _filter = options.Sample ? new LogitFilter(options.Temperature, options.TopK, options.TopP) : null;
        _logits = options.KeepLogits ? [] : null;
    }

    /// <summary>Index of the prompt in the batch.</summary>
    public int Prompt { get; }

    /// <summary>Which of the prompt's sequences.</summary>
    public int Candidate { get; }

    /// <summary>The prompt's tokens.</summary>
    public IReadOnlyList<int> PromptIds { get; }

    /// <summary>The session's row that holds this sequence; before the first step the prompt's, shared by its sequences.</summary>
    public int Slot { get; set; }

    /// <summary>Why the sequence ended; null while it runs.</summary>
    public FinishReason? Finish { get; private set; }

    /// <summary>The token chosen last, to be fed next.</summary>
    public int LastToken => _generated[^1];

    /// <summary>Chooses the next token.</summary>
    /// <param name="logits">[vocabulary].</param>
    public GeneratedToken Advance(ReadOnlySpan<float> logits)
    {
        _logits?.Add(logits.ToArray());
        int token = Choose(logits);
        if (_options.LogProbabilities)
            _logProbability += logits[token] - LogitMath.LogSumExp(logits);
        _generated.Add(token);
        if (_options.StopTokens!.Contains(token))
            Finish = FinishReason.Stop;
        else if (_generated.Count >= _mostTokens)
            Finish = FinishReason.Length;
        return new GeneratedToken(Prompt, Candidate, _generated.Count - 1, token, Finish);
    }

    /// <summary>Ends the sequence where it is, for a reason that the tokens do not show: a stop text.</summary>
    public void Stop() => Finish = FinishReason.Stop;

    /// <summary>The finished sequence.</summary>
    public GeneratedSequence ToSequence() => new()
    {
        Prompt = Prompt,
        Candidate = Candidate,
        PromptIds = PromptIds,
        GeneratedIds = _generated,
        Finish = Finish ?? throw new InvalidOperationException("The sequence is still being generated."),
        Score = _options.LogProbabilities ? _logProbability : null,
        StepLogits = _logits,
    };

    private int Choose(ReadOnlySpan<float> logits)
    {
        if (_filter is null)
            return LogitMath.ArgMax(logits);
        _filter.Apply(logits);
        return _filter.Draw(_draws.At(_generated.Count));
    }
}
