namespace FlamingoSharp.Training.Evaluation;

/// <summary>CIDEr-D: how much of what the references agree on, and other items' references do not say, a caption says.</summary>
/// <remarks>
/// Sequences of 1 to 4 words, their counts weighted by ln N − ln max(1, d), d being the number of items whose references hold the sequence. For each
/// length: Σ min(c, r)·r / (|c|·|r|) · exp(−(difference of length)² / (2·6²)), mean over lengths and references, times 10. As in the reference code
/// the length is the number of pairs of words. Papers write CIDEr for it.<br/>
/// Source: Vedantam et al., arXiv 1411.5726; aac-metrics.
/// </remarks>
public static class CiderD
{
    private const int Longest = 4;
    private const double Sigma = 6;

    /// <summary>Scores a set of captions; the values depend on the whole set.</summary>
    /// <exception cref="FlamingoException">There are fewer than 2 items.</exception>
    public static CaptionScore Score(IReadOnlyList<CaptionWords> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        if (items.Count < 2)
        {
            throw new FlamingoException(FlamingoErrorKind.Input,
                $"CIDEr-D weighs words by how many items use them, so it needs at least 2 captions, but got {items.Count}.");
        }
        var documents = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            var grams = item.References.SelectMany(r => Enumerable.Range(1, Longest).SelectMany(n => NGrams.Count(r, n).Keys)).ToHashSet(StringComparer.Ordinal);
            foreach (string gram in grams)
                documents[gram] = documents.GetValueOrDefault(gram) + 1;
        }
        double all = Math.Log(items.Count);
        double[] scores = [.. items.Select(item =>
        {
            var candidate = Vector.Of(item.Candidate, documents, all);
            return 10 * item.References.Average(r => candidate.Likeness(Vector.Of(r, documents, all)));
        })];
        return new(scores.Average(), scores);
    }

    private sealed record Vector(Dictionary<string, double>[] Weights, double[] Norms, int Pairs)
    {
        public static Vector Of(IReadOnlyList<string> words, Dictionary<string, int> documents, double all)
        {
            var weights = new Dictionary<string, double>[Longest];
            for (int n = 0; n < Longest; n++)
            {
                weights[n] = NGrams.Count(words, n + 1).ToDictionary(
                    g => g.Key, g => g.Value * (all - Math.Log(Math.Max(1, documents.GetValueOrDefault(g.Key)))), StringComparer.Ordinal);
            }
            return new(weights, [.. weights.Select(w => Math.Sqrt(w.Values.Sum(v => v * v)))], Math.Max(0, words.Count - 1));
        }

        public double Likeness(Vector reference)
        {
            double longer = Pairs - reference.Pairs;
            double penalty = Math.Exp(-(longer * longer) / (2 * Sigma * Sigma));
            double sum = 0;
            for (int n = 0; n < Longest; n++)
            {
                double common = 0;
                foreach (var (gram, weight) in Weights[n])
                {
                    double other = reference.Weights[n].GetValueOrDefault(gram);
                    common += Math.Min(weight, other) * other;
                }
                double norms = Norms[n] * reference.Norms[n];
                sum += (norms > 0 ? common / norms : common) * penalty;
            }
            return sum / Longest;
        }
    }
}
