namespace FlamingoSharp.Training.Evaluation;

/// <summary>How well right items are found by likeness, from sound to text or from text to sound.</summary>
/// <remarks>Of equally like items the one listed first counts as found first.</remarks>
public static class RankingScores
{
    /// <summary>Share of queries with a right item among the <paramref name="k"/> likeliest.</summary>
    /// <param name="likeness">By query, then by item.</param>
    /// <param name="relevant">The right items of each query, by index; at least one each.</param>
    /// <param name="k">How many items are looked at.</param>
    /// <exception cref="FlamingoException">There is no query, or one has no right item.</exception>
    public static double RecallAt(IReadOnlyList<IReadOnlyList<double>> likeness, IReadOnlyList<IReadOnlySet<int>> relevant, int k)
    {
        Check(likeness, relevant);
        return likeness.Zip(relevant).Average(q => Ranked(q.First).Take(k).Any(q.Second.Contains) ? 1.0 : 0);
    }

    /// <summary>mAP@k: the mean over queries of Σ P(i)·right(i) / min(k, right items), i up to <paramref name="k"/>.</summary>
    /// <inheritdoc cref="RecallAt"/>
    public static double MeanAveragePrecisionAt(IReadOnlyList<IReadOnlyList<double>> likeness, IReadOnlyList<IReadOnlySet<int>> relevant, int k = 10)
    {
        Check(likeness, relevant);
        return likeness.Zip(relevant).Average(q =>
        {
            int right = 0, place = 0;
            double sum = 0;
            foreach (int item in Ranked(q.First).Take(k))
            {
                place++;
                if (q.Second.Contains(item))
                    sum += (double)++right / place;
            }
            return sum / Math.Min(k, q.Second.Count);
        });
    }

    private static IEnumerable<int> Ranked(IReadOnlyList<double> likeness) => Enumerable.Range(0, likeness.Count).OrderByDescending(i => likeness[i]);

    private static void Check(IReadOnlyList<IReadOnlyList<double>> likeness, IReadOnlyList<IReadOnlySet<int>> relevant)
    {
        ArgumentNullException.ThrowIfNull(likeness);
        ArgumentNullException.ThrowIfNull(relevant);
        if (likeness.Count == 0 || likeness.Count != relevant.Count || relevant.Any(r => r.Count == 0))
        {
            throw new FlamingoException(FlamingoErrorKind.Input,
                $"Retrieval needs at least 1 query and a right item for each, but got {likeness.Count} queries, {relevant.Count(r => r.Count > 0)} with a right item.");
        }
    }
}
