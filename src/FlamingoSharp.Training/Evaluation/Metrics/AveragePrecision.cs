namespace FlamingoSharp.Training.Evaluation;

/// <summary>How far up right items stand when all are sorted by their scores.</summary>
/// <remarks>AP = Σ (Rₙ − Rₙ₋₁)·Pₙ over the distinct scores, highest first, as scikit-learn's <c>average_precision_score</c>: no interpolation.</remarks>
public static class AveragePrecision
{
    /// <summary>Of one class.</summary>
    /// <param name="scores">Of each item; equal scores are taken together.</param>
    /// <param name="relevant">Whether the item belongs to the class.</param>
    /// <exception cref="FlamingoException">No item belongs to the class, or there are more or fewer scores than items.</exception>
    public static double Of(IReadOnlyList<double> scores, IReadOnlyList<bool> relevant)
    {
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentNullException.ThrowIfNull(relevant);
        if (scores.Count != relevant.Count)
            throw new FlamingoException(FlamingoErrorKind.Input, $"Average precision needs a score for each item, but got {scores.Count} for {relevant.Count}.");
        int all = relevant.Count(r => r);
        if (all == 0)
            throw new FlamingoException(FlamingoErrorKind.Input, "Average precision needs at least 1 item that belongs to the class, but got none.");
        int seen = 0, right = 0;
        double sum = 0;
        foreach (var tied in Enumerable.Range(0, scores.Count).GroupBy(i => scores[i]).OrderByDescending(g => g.Key))
        {
            int more = tied.Count(i => relevant[i]);
            seen += tied.Count();
            right += more;
            sum += (double)more / all * right / seen;
        }
        return sum;
    }

    /// <summary>mAP: the mean over classes; those that no item belongs to are left out.</summary>
    /// <param name="scores">By item, then by class.</param>
    /// <param name="relevant">Likewise.</param>
    /// <exception cref="FlamingoException">No class has an item.</exception>
    public static double Mean(IReadOnlyList<IReadOnlyList<double>> scores, IReadOnlyList<IReadOnlyList<bool>> relevant)
    {
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentNullException.ThrowIfNull(relevant);
        int[] classes = relevant.Count == 0 ? [] : [.. Enumerable.Range(0, relevant[0].Count).Where(c => relevant.Any(r => r[c]))];
        if (classes.Length == 0)
            throw new FlamingoException(FlamingoErrorKind.Input, "mAP needs at least 1 class with an item that belongs to it, but got none.");
        return classes.Average(c => Of([.. scores.Select(s => s[c])], [.. relevant.Select(r => r[c])]));
    }
}
