namespace FlamingoSharp.Training.Evaluation;

/// <summary>Answers that need no model: what a score is worth.</summary>
internal sealed class Baselines
{
    private readonly Dictionary<string, EvaluationRow> _training;
    private readonly SoundNeighbours? _neighbours;

    /// <param name="training">The rows of the training split.</param>
    /// <param name="neighbours">Which sounds are alike; null leaves the nearest neighbour out.</param>
    public Baselines(IReadOnlyList<EvaluationRow> training, SoundNeighbours? neighbours)
    {
        _training = training.Where(r => r.Items.Count > 0).ToDictionary(r => r.Name);
        _neighbours = neighbours;
    }

    /// <summary>To every item the most frequent training answer of its row; where there are choices, the one among them that is most frequent.</summary>
    /// <returns>Null where the row has no training items.</returns>
    public IReadOnlyList<string>? MostFrequent(EvaluationRow row)
    {
        if (!_training.TryGetValue(row.Name, out var training))
            return null;
        var counts = training.Items.CountBy(Answer).ToDictionary(c => c.Key, c => c.Value);
        string most = counts.MaxBy(c => c.Value).Key;
        return [.. row.Items.Select(i => i.Choices.Count > 0 ? i.Choices.MaxBy(c => counts.GetValueOrDefault(c))! : most)];
    }

    /// <summary>To every item the answer of the most similar training sound: of one that was asked the same, where there is one, and whose answer may be chosen.</summary>
    /// <returns>Null where the row has no training items, or likeness is not known.</returns>
    public IReadOnlyList<string>? NearestNeighbour(EvaluationRow row, CancellationToken cancellation)
    {
        if (_neighbours is null || !_training.TryGetValue(row.Name, out var training))
            return null;
        EvaluationItem[] known = [.. training.Items.Where(i => _neighbours.Knows(i.Sound))];
        var byPrompt = known.ToLookup(i => i.Prompt.Prompt);
        return [.. row.Items.Select(item =>
        {
            cancellation.ThrowIfCancellationRequested();
            if (!_neighbours.Knows(item.Sound))
                return "";
            var asked = byPrompt[item.Prompt.Prompt].Any() && row.Kind != AnswerKind.Choice ? byPrompt[item.Prompt.Prompt] : known;
            var allowed = item.Choices.Count > 0 ? asked.Where(t => item.Choices.Contains(Answer(t), StringComparer.OrdinalIgnoreCase)) : asked;
            return allowed.MinBy(t => _neighbours.Distance(item.Sound, t.Sound)) is { } nearest ? Answer(nearest) : "";
        })];
    }

    private static string Answer(EvaluationItem item) => item.Kind == AnswerKind.Labels ? string.Join(", ", item.Expected) : item.Expected[0];
}
