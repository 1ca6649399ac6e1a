namespace FlamingoSharp.Generation;

/// <summary>
/// Turns logits into the distribution that a token is drawn from: temperature, then top-k, then top-p, then softmax.
/// </summary>
/// <remarks>
/// Follows the warpers of transformers to the rounding (float32 division, float32 probabilities, cumulated in double and
/// rounded to float32), because which tokens stay is a matter of exact comparisons. One instance serves one thread.<br/>
/// Source: top-k: Fan et al. 2018 (arXiv 1805.04833); top-p: Holtzman et al. 2020 (arXiv 1904.09751).
/// </remarks>
internal sealed class LogitFilter(double temperature, int topK, double topP)
{
    private int[] _ids = [];
    private float[] _logits = [], _probabilities = [];
    private ulong[] _order = [];
    private int _count;

    /// <summary>Tokens that stay, ascending.</summary>
    public ReadOnlySpan<int> Kept => _ids.AsSpan(0, _count);

    /// <summary>Their logits after the temperature.</summary>
    public ReadOnlySpan<float> Logits => _logits.AsSpan(0, _count);

    /// <summary>Their probabilities, which sum to 1.</summary>
    public ReadOnlySpan<float> Probabilities => _probabilities.AsSpan(0, _count);

    /// <summary>Filters the logits of one token, [vocabulary].</summary>
    /// <exception cref="FlamingoException">The logits hold NaN or +infinity.</exception>
    public void Apply(ReadOnlySpan<float> logits)
    {
        if (_ids.Length < logits.Length)
            (_ids, _logits, _probabilities) = (new int[logits.Length], new float[logits.Length], new float[logits.Length]);
        LogitMath.ArgMax(logits); // refuses NaN and infinities
        KeepLikeliest(logits);
        if (topP < 1)
        {
            Softmax();
            DropTail();
        }
        Softmax();
    }

    /// <summary>The token at a point of the distribution.</summary>
    /// <param name="u">0 &lt;= u &lt; 1.</param>
    public int Draw(double u)
    {
        double left = u;
        int chosen = 0;
        for (int i = 0; i < _count; i++)
        {
            if (_probabilities[i] == 0)
                continue;
            chosen = i; // float probabilities may sum to a little less than 1: the last possible token takes what is left
            left -= _probabilities[i];
            if (left < 0)
                break;
        }
        return _ids[chosen];
    }

    /// <summary>Temperature and top-k: everything at least as large as the k-th largest stays, so ties with it do too.</summary>
    private void KeepLikeliest(ReadOnlySpan<float> logits)
    {
        float divisor = (float)temperature; // 1 changes nothing
        float smallest = topK > 0 && topK < logits.Length ? LogitMath.KthLargest(logits, topK, _logits) / divisor : float.NegativeInfinity;
        _count = 0;
        for (int id = 0; id < logits.Length; id++)
        {
            float logit = logits[id] / divisor;
            if (logit >= smallest && logit != float.NegativeInfinity)
                (_ids[_count], _logits[_count++]) = (id, logit);
        }
    }

    private void Softmax()
    {
        float largest = float.NegativeInfinity;
        foreach (float logit in Logits)
            largest = Math.Max(largest, logit);
        double sum = 0;
        for (int i = 0; i < _count; i++)
            sum += _probabilities[i] = MathF.Exp(_logits[i] - largest);
        float total = (float)sum;
        for (int i = 0; i < _count; i++)
            _probabilities[i] /= total;
    }

    /// <summary>Top-p: from the least likely up, tokens leave while their cumulative probability is at most 1 - p; one always stays.</summary>
    private void DropTail()
    {
        if (_order.Length < _count)
            _order = new ulong[_ids.Length];

        // Tokens rarer than (1 - p) / n leave in any case, since together they weigh less than 1 - p: only the others need sorting.
        double rare = (1 - topP) / _count, cumulative = 0;
        float likeliest = _probabilities[LogitMath.ArgMax(Logits)];
        int sorted = 0;
        for (int i = 0; i < _count; i++)
        {
            if (_probabilities[i] < rare && _probabilities[i] < likeliest)
                cumulative += _probabilities[i];
            else
                _order[sorted++] = Key(i);
        }
        Array.Sort(_order, 0, sorted);

        float most = (float)(1 - topP);
        int first = 0;
        while (first < sorted - 1 && (float)(cumulative += _probabilities[(uint)_order[first]]) <= most)
            first++;

        ulong smallest = _order[first];
        int kept = 0;
        for (int i = 0; i < _count; i++)
        {
            if (Key(i) >= smallest)
                (_ids[kept], _logits[kept++]) = (_ids[i], _logits[i]);
        }
        _count = kept;
    }

    /// <summary>Sorts by logit; of equal ones the lower token comes first, and so leaves first.</summary>
    private ulong Key(int i) => ((ulong)LogitMath.Sortable(_logits[i]) << 32) | (uint)i;
}
