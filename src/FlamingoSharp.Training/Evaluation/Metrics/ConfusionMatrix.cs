namespace FlamingoSharp.Training.Evaluation;

/// <summary>Which answers were given where which one was right.</summary>
/// <remarks>Answers that are none of the labels are counted in a column of their own; they are wrong for every score.</remarks>
public sealed class ConfusionMatrix
{
    private readonly Dictionary<string, int> _index;
    private readonly int[,] _counts;

    /// <summary>Counts answers.</summary>
    /// <param name="answers">The right label of each item, and the one given; null where the answer is no label.</param>
    /// <exception cref="FlamingoException">There is no answer.</exception>
    public ConfusionMatrix(IReadOnlyList<(string Expected, string? Given)> answers)
    {
        ArgumentNullException.ThrowIfNull(answers);
        if (answers.Count == 0)
            throw new FlamingoException(FlamingoErrorKind.Input, "A confusion matrix needs at least 1 answer, but got none.");
        Labels = [.. answers.Select(a => a.Expected).Concat(answers.Select(a => a.Given).OfType<string>()).Distinct().Order(StringComparer.Ordinal)];
        _index = Labels.Select((l, i) => (l, i)).ToDictionary(p => p.l, p => p.i);
        _counts = new int[Labels.Count, Labels.Count + 1];
        foreach (var (expected, given) in answers)
            _counts[_index[expected], given is null ? Labels.Count : _index[given]]++;
        Total = answers.Count;
    }

    /// <summary>Every label that is right somewhere or was given, in order.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>Answers counted.</summary>
    public int Total { get; }

    /// <summary>Share of answers that are no label at all.</summary>
    public double Unparsed => Enumerable.Range(0, Labels.Count).Sum(i => (double)_counts[i, Labels.Count]) / Total;

    /// <summary>Share of right answers.</summary>
    public double Accuracy => Enumerable.Range(0, Labels.Count).Sum(i => (double)_counts[i, i]) / Total;

    /// <summary>The mean over the labels that are right somewhere of the share of their items that were answered rightly: macro recall.</summary>
    public double BalancedAccuracy => Expected().Average(i => (double)_counts[i, i] / RowSum(i));

    /// <summary>The mean of F1 over the labels that are right somewhere.</summary>
    public double MacroF1 => Expected().Average(i => 2.0 * _counts[i, i] / (RowSum(i) + ColumnSum(i)));

    /// <summary>How often <paramref name="given"/> was the answer where <paramref name="expected"/> was right; null for no label.</summary>
    public int this[string expected, string? given] =>
        _index.TryGetValue(expected, out int row) && (given is null || _index.ContainsKey(given)) ? _counts[row, given is null ? Labels.Count : _index[given]] : 0;

    /// <summary>Items whose right label this is.</summary>
    public int Count(string expected) => _index.TryGetValue(expected, out int row) ? RowSum(row) : 0;

    private IEnumerable<int> Expected() => Enumerable.Range(0, Labels.Count).Where(i => RowSum(i) > 0);

    private int RowSum(int row) => Enumerable.Range(0, Labels.Count + 1).Sum(i => _counts[row, i]);

    private int ColumnSum(int column) => Enumerable.Range(0, Labels.Count).Sum(i => _counts[i, column]);
}
