namespace FlamingoSharp.Generation;

/// <summary>The beams of one prompt: K open hypotheses, and the best K finished ones.</summary>
/// <remarks>Works as the beam scorer of transformers with early_stopping = false; groups know nothing of each other.</remarks>
internal sealed class BeamGroup
{
    private readonly GenerationOptions _options;
    private readonly int _prompt, _mostTokens;
    private readonly IReadOnlyList<int> _promptIds;
    private readonly BeamCandidates _candidates;
    private readonly List<Hypothesis> _finished = [];
    private int _generated;
    private bool _settled;

    public BeamGroup(int prompt, IReadOnlyList<int> promptIds, GenerationOptions options, int mostTokens)
    {
        (_prompt, _promptIds, _options, _mostTokens) = (prompt, promptIds, options, mostTokens);
        // One candidate a beam and stop token can be lost to a stop, so that many more leave K to go on.
        _candidates = new BeamCandidates(options.NumBeams * Math.Max(2, 1 + options.StopTokens!.Count));
        // All beams start equal; the huge debt lets only the first one bring forth candidates in the first step.
        Beams = [.. Enumerable.Range(0, options.NumBeams).Select(i => new Beam(prompt, null, i == 0 ? 0 : -1e9))];
    }

    /// <summary>The open hypotheses, best first.</summary>
    public Beam[] Beams { get; private set; }

    /// <summary>True when no further step can change the result.</summary>
    public bool Done => _settled || _generated == _mostTokens;

    /// <summary>Goes one token further.</summary>
    /// <param name="logits">The step's logits; each beam reads the row of its slot.</param>
    public void Advance(StepLogits logits)
    {
        if (logits.Vocabulary < Beams.Length + _options.StopTokens!.Count)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"{Beams.Length} beams need more tokens to choose from than this model's vocabulary of {logits.Vocabulary}: use fewer beams.");
        }
        _candidates.Clear();
        for (int beam = 0; beam < Beams.Length; beam++)
            _candidates.Offer(beam, Beams[beam].Sum, logits.Row(Beams[beam].Slot));
        _generated++;

        var next = new List<Beam>(Beams.Length);
        for (int rank = 0; rank < _candidates.Count && next.Count < Beams.Length; rank++)
        {
            var candidate = _candidates[rank];
            var beam = Beams[candidate.Beam];
            var tokens = new TokenChain(beam.Tokens, candidate.Token);
            if (!_options.StopTokens.Contains(candidate.Token))
                next.Add(new Beam(beam.Slot, tokens, candidate.Sum));
            else if (rank < Beams.Length)
                Keep(new Hypothesis(tokens, Score(candidate.Sum), FinishReason.Stop));
        }
        Beams = [.. next];
        _settled = _finished.Count == Beams.Length && _finished.Min(h => h.Score) >= Score(_candidates[0].Sum);
    }

    /// <summary>The best hypotheses, best first; of equal ones the later found first.</summary>
    public IEnumerable<GeneratedSequence> Best()
    {
        if (!_settled)
        {
            foreach (var beam in Beams)
                Keep(new Hypothesis(beam.Tokens!, Score(beam.Sum, open: true), FinishReason.Length));
        }
        return _finished.AsEnumerable().Reverse().OrderByDescending(h => h.Score).Take(_options.NumReturnSequences)
            .Select((h, rank) => new GeneratedSequence
            {
                Prompt = _prompt,
                Candidate = rank,
                PromptIds = _promptIds,
                GeneratedIds = h.Tokens.ToList(),
                Finish = h.Finish,
                Score = h.Score,
            });
    }

    /// <summary>Sum of log-probabilities / length^penalty, with the length of a hypothesis that ends at this step.</summary>
    private double Score(double sum, bool open = false)
    {
        int length = _options.BeamLengthRule == BeamLengthRule.GeneratedWithStop
            ? _generated
            : _promptIds.Count + _generated - (open ? 0 : 1); // the stop token does not count
        return sum / Math.Pow(length, _options.LengthPenalty);
    }

    private void Keep(Hypothesis hypothesis)
    {
        if (_finished.Count == _options.NumBeams && hypothesis.Score <= _finished.Min(h => h.Score))
            return;
        _finished.Add(hypothesis);
        if (_finished.Count > _options.NumBeams)
            _finished.Remove(_finished.MinBy(h => h.Score)!); // of equal ones the oldest
    }

    private sealed class Hypothesis(TokenChain tokens, double score, FinishReason finish)
    {
        public TokenChain Tokens => tokens;

        public double Score => score;

        public FinishReason Finish => finish;
    }
}

/// <summary>An open hypothesis: the session's row it continues, its tokens (null before the first) and their sum of log-probabilities.</summary>
internal sealed record Beam(int Slot, TokenChain? Tokens, double Sum)
{
    /// <summary>The session's row it continues; the loop renumbers it after each rearrangement.</summary>
    public int Slot { get; set; } = Slot;
}

/// <summary>Generated tokens, linked from the last to the first, so that beams share what they have in common.</summary>
internal sealed record TokenChain(TokenChain? Before, int Token)
{
    /// <summary>The tokens, first to last.</summary>
    public List<int> ToList()
    {
        var tokens = new List<int>();
        for (var link = this; link is not null; link = link.Before)
            tokens.Add(link.Token);
        tokens.Reverse();
        return tokens;
    }
}
