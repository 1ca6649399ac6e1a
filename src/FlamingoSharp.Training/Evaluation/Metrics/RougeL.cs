namespace FlamingoSharp.Training.Evaluation;

/// <summary>ROUGE-L: the longest sequence of words, gaps allowed, that a caption has in common with a reference.</summary>
/// <remarks>
/// Precision and recall are each the best over the references, which may be two different ones; F = (1 + β²)·P·R / (R + β²·P) with β = 1.2; the
/// mean over items. Source: Lin 2004; coco-caption.
/// </remarks>
public static class RougeL
{
    private const double Beta = 1.2;

    /// <summary>Scores a set of captions.</summary>
    /// <exception cref="FlamingoException">There is no item.</exception>
    public static CaptionScore Score(IReadOnlyList<CaptionWords> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        if (items.Count == 0)
            throw new FlamingoException(FlamingoErrorKind.Input, "ROUGE-L needs at least 1 caption, but got none.");
        double[] scores = [.. items.Select(Score)];
        return new(scores.Average(), scores);
    }

    private static double Score(CaptionWords item)
    {
        double precision = 0, recall = 0;
        foreach (var reference in item.References)
        {
            int common = Common(item.Candidate, reference);
            if (common > 0)
                (precision, recall) = (Math.Max(precision, (double)common / item.Candidate.Count), Math.Max(recall, (double)common / reference.Count));
        }
        return precision > 0 ? (1 + (Beta * Beta)) * precision * recall / (recall + (Beta * Beta * precision)) : 0;
    }

    private static int Common(IReadOnlyList<string> first, IReadOnlyList<string> second)
    {
        int[] before = new int[second.Count + 1], now = new int[second.Count + 1];
        foreach (string word in first)
        {
            for (int j = 0; j < second.Count; j++)
                now[j + 1] = word == second[j] ? before[j] + 1 : Math.Max(now[j], before[j + 1]);
            (before, now) = (now, before);
        }
        return before[second.Count];
    }
}
