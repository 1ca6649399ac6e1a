using FlamingoSharp.Retrieval;
using FlamingoSharp.Text;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>Counts the answers of a few-shot evaluation, a row for each number of examples and way of choosing them.</summary>
internal sealed class FewShotTally
{
    private readonly IReadOnlyList<string> _labels;
    private readonly Dictionary<(int Shots, ShotChoice Choice), Cell> _cells;
    private readonly Dictionary<int, List<(string Expected, string? Given)>> _votes;

    /// <param name="shots">Numbers of examples, rising.</param> <param name="labels">The labels of the index.</param>
    public FewShotTally(IReadOnlyList<int> shots, IReadOnlyList<string> labels)
    {
        _labels = labels;
        Conditions = [.. shots.SelectMany<int, (int, ShotChoice)>(k => k == 0 ? [(0, ShotChoice.Similar)] : [(k, ShotChoice.Similar), (k, ShotChoice.Random)])];
        _cells = Conditions.ToDictionary(c => c, _ => new Cell());
        _votes = shots.Where(k => k > 0).ToDictionary(k => k, _ => new List<(string, string?)>());
    }

    /// <summary>The rows.</summary>
    public IReadOnlyList<(int Shots, ShotChoice Choice)> Conditions { get; }

    /// <summary>Sounds asked about.</summary>
    public int Queries => _cells[Conditions[0]].Generated.Count;

    /// <summary>Counts the answers about a sound.</summary>
    /// <param name="shots">Which row.</param> <param name="choice">Which row.</param> <param name="right">The sound's labels.</param>
    /// <param name="shown">Its examples.</param> <param name="generated">What the model said.</param> <param name="likeliest">The label that it found likeliest.</param>
    public void Add(int shots, ShotChoice choice, IReadOnlyList<string> right, ShotSet shown, string generated, string likeliest)
    {
        var cell = _cells[(shots, choice)];
        // All labels of the sound in the words of an example count as its label.
        string? said = LabelMatch.Find(generated, _labels) ?? (right.Count > 1 && LabelMatch.Find(generated, [string.Join(", ", right)]) is not null ? right[0] : null);
        cell.Generated.Add(Pair(right, said));
        cell.Likeliest.Add(Pair(right, likeliest));
        cell.Shown += shown.Entries.Any(e => right.Any(label => e.Answer.Split(", ").Contains(label, StringComparer.OrdinalIgnoreCase))) ? 1 : 0;
    }

    /// <summary>Counts what the neighbours of a sound say.</summary>
    public void AddVotes(IReadOnlyList<string> right, IReadOnlyList<SoundMatch> nearest)
    {
        foreach (var (count, votes) in _votes)
            votes.Add(Pair(right, LabelVote.Count(nearest.Take(count), _labels)[0].Label));
    }

    /// <summary>The rows with their scores.</summary>
    public IReadOnlyList<FewShotRow> Rows() => [.. Conditions.Select(c => new FewShotRow(
        c.Shots, c.Shots == 0 ? "none" : c.Choice == ShotChoice.Similar ? "similar" : "random", Math.Round((double)_cells[c].Shown / Queries, 6),
        FewShotScore.Of(_cells[c].Generated), FewShotScore.Of(_cells[c].Likeliest)))];

    /// <summary>The neighbours' scores.</summary>
    public IReadOnlyList<VoteRow> Votes() => [.. _votes.OrderBy(v => v.Key).Select(v => new VoteRow(v.Key, FewShotScore.Of(v.Value)))];

    // A sound of several labels is right by any of them.
    private static (string Expected, string? Given) Pair(IReadOnlyList<string> right, string? given) => (given is not null && right.Contains(given) ? given : right[0], given);

    private sealed class Cell
    {
        public List<(string Expected, string? Given)> Generated { get; } = [];

        public List<(string Expected, string? Given)> Likeliest { get; } = [];

        public int Shown { get; set; }
    }
}
