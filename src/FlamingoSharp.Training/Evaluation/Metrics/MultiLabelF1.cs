namespace FlamingoSharp.Training.Evaluation;

/// <summary>F1 of answers that name any number of labels.</summary>
/// <param name="Micro">Of all labels together: one wrong label counts the same, however rare it is.</param>
/// <param name="Macro">The mean of the labels' own F1: every label counts the same.</param>
/// <remarks>As scikit-learn's <c>f1_score</c>, a label that is neither expected nor given scoring 0.</remarks>
public sealed record MultiLabelF1(double Micro, double Macro)
{
    /// <summary>Scores answers.</summary>
    /// <param name="expected">The right labels of each item.</param>
    /// <param name="given">The labels of each answer, in the same order.</param>
    /// <param name="labels">
    /// The labels that macro F1 averages over; null takes all that are expected. A given label that is none of them counts as wrong in micro F1.
    /// </param>
    /// <exception cref="FlamingoException">There is no item, or there are more or fewer answers than items.</exception>
    public static MultiLabelF1 Score(
        IReadOnlyList<IReadOnlySet<string>> expected, IReadOnlyList<IReadOnlySet<string>> given, IReadOnlyCollection<string>? labels = null)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(given);
        if (expected.Count == 0 || expected.Count != given.Count)
            throw new FlamingoException(FlamingoErrorKind.Input, $"F1 compares answers one by one, but got {given.Count} answers for {expected.Count} items.");
        var classes = labels ?? [.. expected.SelectMany(e => e).Distinct()];
        var right = Counts(expected.Zip(given).SelectMany(p => p.First.Intersect(p.Second)));
        var wanted = Counts(expected.SelectMany(e => e));
        var said = Counts(given.SelectMany(g => g));
        return new(
            F1(right.Values.Sum(), wanted.Values.Sum(), said.Values.Sum()),
            classes.Count == 0 ? 0 : classes.Average(c => F1(right.GetValueOrDefault(c), wanted.GetValueOrDefault(c), said.GetValueOrDefault(c))));
    }

    private static Dictionary<string, int> Counts(IEnumerable<string> labels) => labels.CountBy(l => l).ToDictionary(c => c.Key, c => c.Value);

    private static double F1(int right, int wanted, int said) => wanted + said == 0 ? 0 : 2.0 * right / (wanted + said);
}
