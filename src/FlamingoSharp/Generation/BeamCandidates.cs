namespace FlamingoSharp.Generation;

/// <summary>The best continuations over all beams of a prompt, best first; of equal ones the lower beam, then the lower token first.</summary>
internal sealed class BeamCandidates(int capacity)
{
    private readonly (int Beam, int Token, double Sum)[] _best = new (int, int, double)[capacity];

    /// <summary>How many there are: the capacity, or fewer with a tiny vocabulary.</summary>
    public int Count { get; private set; }

    /// <summary>The continuation of a rank.</summary>
    public (int Beam, int Token, double Sum) this[int rank] => _best[rank];

    /// <summary>Starts a step.</summary>
    public void Clear() => Count = 0;

    /// <summary>Considers every token after one beam; beams come in ascending order.</summary>
    /// <param name="beam">Number of the beam.</param> <param name="sum">Its sum of log-probabilities.</param> <param name="logits">[vocabulary].</param>
    public void Offer(int beam, double sum, ReadOnlySpan<float> logits)
    {
        double offset = sum - LogitMath.LogSumExp(logits); // log-probability = logit - log-sum-exp
        for (int token = 0; token < logits.Length; token++)
        {
            double total = logits[token] + offset;
            if (Count == _best.Length && total <= _best[^1].Sum)
                continue;
            int place = Count < _best.Length ? Count++ : Count - 1;
            for (; place > 0 && _best[place - 1].Sum < total; place--)
                _best[place] = _best[place - 1];
            _best[place] = (beam, token, total);
        }
    }
}
