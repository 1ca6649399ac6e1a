namespace FlamingoSharp.Training.Evaluation;

/// <summary>BLEU-1 to BLEU-4: the share of a caption's word sequences that a reference has too, less for captions that are too short.</summary>
/// <remarks>
/// Counts are clipped by the reference that has most of a sequence and summed over the set. The length compared with is that of the closest
/// reference, of two equally close ones the shorter. Guards against division by zero are those of coco-caption: 1e-15 above, 1e-9 below.<br/>
/// Source: Papineni et al. 2002; coco-caption.
/// </remarks>
public static class Bleu
{
    /// <summary>The longest sequence counted, in words.</summary>
    public const int Longest = 4;

    private const double Tiny = 1e-15, Small = 1e-9;

    /// <summary>Scores a set of captions.</summary>
    /// <returns>BLEU-1 to BLEU-4.</returns>
    /// <exception cref="FlamingoException">There is no item.</exception>
    public static IReadOnlyList<double> Score(IReadOnlyList<CaptionWords> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        if (items.Count == 0)
            throw new FlamingoException(FlamingoErrorKind.Input, "BLEU needs at least 1 caption, but got none.");
        double[] right = new double[Longest], made = new double[Longest];
        double candidateLength = 0, referenceLength = 0;
        foreach (var item in items)
        {
            int length = item.Candidate.Count;
            candidateLength += length;
            referenceLength += item.References.Select(r => r.Count).MinBy(r => (Math.Abs(r - length), r));
            for (int n = 0; n < Longest; n++)
            {
                made[n] += Math.Max(0, length - n);
                var references = item.References.Select(r => NGrams.Count(r, n + 1)).ToList();
                right[n] += NGrams.Count(item.Candidate, n + 1).Sum(g => Math.Min(g.Value, references.Max(r => r.GetValueOrDefault(g.Key))));
            }
        }
        double ratio = (candidateLength + Tiny) / (referenceLength + Small);
        double penalty = ratio < 1 ? Math.Exp(1 - (1 / ratio)) : 1;
        double[] scores = new double[Longest];
        double product = 1;
        for (int n = 0; n < Longest; n++)
        {
            product *= (right[n] + Tiny) / (made[n] + Small);
            scores[n] = Math.Pow(product, 1.0 / (n + 1)) * penalty;
        }
        return scores;
    }
}
