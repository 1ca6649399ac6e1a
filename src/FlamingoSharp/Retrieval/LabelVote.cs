namespace FlamingoSharp.Retrieval;

/// <summary>What the neighbours of a sound say it is: the answer of retrieval alone, without a language model.</summary>
/// <param name="Label">The label.</param> <param name="Votes">Neighbours that have it.</param> <param name="Similarity">The sum of their similarities, which decides between equals.</param>
public sealed record LabelVote(string Label, int Votes, double Similarity)
{
    /// <summary>Counts the labels of neighbours, the winner first.</summary>
    /// <param name="neighbours">Each votes for all of its labels.</param> <param name="labels">Only these count, compared without regard to case; null counts all.</param>
    public static IReadOnlyList<LabelVote> Count(IEnumerable<SoundMatch> neighbours, IReadOnlyList<string>? labels = null)
    {
        ArgumentNullException.ThrowIfNull(neighbours);
        return [.. neighbours
            .SelectMany(n => n.Sound.Labels.Distinct(StringComparer.OrdinalIgnoreCase).Select(l => (Label: Named(l), n.Similarity)))
            .Where(v => v.Label is not null)
            .GroupBy(v => v.Label!, StringComparer.OrdinalIgnoreCase)
            .Select(g => new LabelVote(g.Key, g.Count(), g.Sum(v => v.Similarity)))
            .OrderByDescending(v => v.Votes).ThenByDescending(v => v.Similarity).ThenBy(v => v.Label, StringComparer.Ordinal)];

        string? Named(string label) => labels is null ? label : labels.FirstOrDefault(l => string.Equals(l, label, StringComparison.OrdinalIgnoreCase));
    }
}
