using System.Numerics.Tensors;

namespace FlamingoSharp.Retrieval;

/// <summary>How well an index finds sounds of the same label: every sound is asked about, and the others are ranked.</summary>
/// <param name="Label">The label.</param> <param name="Queries">Sounds that have it.</param> <param name="AveragePrecision">Mean over them of the average precision.</param>
public sealed record LabelRetrieval(string Label, int Queries, double AveragePrecision);

/// <summary>What an evaluation found.</summary>
public sealed record RetrievalReport
{
    /// <summary>Sounds of the index with a label.</summary>
    public required int Sounds { get; init; }

    /// <summary>Sounds asked about: those with a label that another sound has too.</summary>
    public required int Queries { get; init; }

    /// <summary>For each k, the share of queries with a sound of their label among the k nearest.</summary>
    public required IReadOnlyDictionary<int, double> RecallAt { get; init; }

    /// <summary>Mean over labels of <see cref="LabelRetrieval.AveragePrecision"/>: a rare label counts as much as a frequent one.</summary>
    public required double MeanAveragePrecision { get; init; }

    /// <summary>The share of queries whose label the vote of <see cref="Voters"/> neighbours gets right.</summary>
    public required double VoteAccuracy { get; init; }

    /// <summary>Neighbours that vote.</summary>
    public required int Voters { get; init; }

    /// <summary>Each label on its own, the best first.</summary>
    public required IReadOnlyList<LabelRetrieval> Labels { get; init; }
}

/// <summary>Measures retrieval on the labels of an index, leaving the sound asked about (and its near-duplicates) out.</summary>
public static class RetrievalEvaluation
{
    /// <summary>Evaluates a store.</summary>
    /// <param name="store">Open.</param> <param name="ks">The k of recall@k.</param> <param name="voters">Neighbours that vote.</param>
    /// <param name="maxQueries">Sounds asked about at most, evenly spaced; all are ranked all the same.</param>
    /// <param name="groupOf">What a sound was cut or made from: sounds of one group are left out of each other's ranking; null where each stands alone.</param>
    /// <param name="progress">Told the share done.</param> <param name="cancellation">Stops.</param>
    /// <exception cref="FlamingoException">No two sounds have a label in common.</exception>
    public static async Task<RetrievalReport> RunAsync(
        SoundStore store, IReadOnlyList<int>? ks = null, int voters = 5, int maxQueries = 2000, Func<IndexedSound, string?>? groupOf = null,
        IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ks ??= [1, 5, 10];
        var sounds = new List<IndexedSound>();
        await foreach (var sound in store.ScanAsync(vectors: true, cancellation).ConfigureAwait(false))
        {
            if (sound.Labels.Count > 0)
                sounds.Add(sound);
        }
        string?[] groups = [.. sounds.Select(s => groupOf?.Invoke(s))];
        var sizes = sounds.SelectMany(s => s.Labels.Distinct()).GroupBy(l => l).ToDictionary(g => g.Key, g => g.Count());
        IndexedSound[] asked = [.. sounds.Where(s => s.Labels.Any(l => sizes[l] > 1))];
        if (asked.Length == 0)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"No two sounds of the index '{store.Name}' have a label in common, so there is nothing to find. Build it from class folders or a manifest with labels.");
        }
        if (asked.Length > maxQueries)
            asked = [.. Enumerable.Range(0, maxQueries).Select(i => asked[(long)i * asked.Length / maxQueries])];

        var ranked = new (List<(string Label, double Precision)> PerLabel, int FirstHit, bool Voted)?[asked.Length];
        int done = 0;
        Parallel.For(0, asked.Length, new ParallelOptions { CancellationToken = cancellation }, i =>
        {
            ranked[i] = Rank(sounds, groups, asked[i], groupOf?.Invoke(asked[i]), voters);
            progress?.Report((double)Interlocked.Increment(ref done) / asked.Length);
        });

        var answered = ranked.Where(r => r is { PerLabel.Count: > 0 }).Select(r => r!.Value).ToList();
        LabelRetrieval[] labels = [.. answered.SelectMany(r => r.PerLabel).GroupBy(p => p.Label)
            .Select(g => new LabelRetrieval(g.Key, g.Count(), g.Average(p => p.Precision))).OrderByDescending(l => l.AveragePrecision).ThenBy(l => l.Label, StringComparer.Ordinal)];
        return new RetrievalReport
        {
            Sounds = sounds.Count,
            Queries = answered.Count,
            RecallAt = ks.ToDictionary(k => k, k => Share(answered.Count(r => r.FirstHit <= k))),
            MeanAveragePrecision = labels.Length == 0 ? 0 : labels.Average(l => l.AveragePrecision),
            VoteAccuracy = Share(answered.Count(r => r.Voted)),
            Voters = voters,
            Labels = labels,
        };

        double Share(int count) => answered.Count == 0 ? 0 : (double)count / answered.Count;
    }

    private static (List<(string, double)>, int, bool) Rank(List<IndexedSound> sounds, string?[] groups, IndexedSound asked, string? group, int voters)
    {
        float[] scores = new float[sounds.Count];
        int[] order = new int[sounds.Count];
        int others = 0;
        double duplicate = new QueryOptions().DuplicateSimilarity;
        for (int i = 0; i < sounds.Count; i++)
        {
            float score = TensorPrimitives.Dot(asked.Embedding.Span, sounds[i].Embedding.Span);
            if (sounds[i].Hash != asked.Hash && score < duplicate && (group is null || groups[i] != group))
                (scores[others], order[others++]) = (-score, i);
        }
        Array.Sort(scores, order, 0, others);
        var perLabel = new List<(string, double)>();
        int firstHit = int.MaxValue;
        foreach (string label in asked.Labels.Distinct())
        {
            var found = new Placings([.. Enumerable.Range(1, others).Where(rank => sounds[order[rank - 1]].Labels.Contains(label))]);
            if (found.Places.Count == 0)
                continue;
            perLabel.Add((label, found.AveragePrecision()));
            firstHit = Math.Min(firstHit, found.Places[0]);
        }
        var votes = LabelVote.Count(order.Take(Math.Min(voters, others)).Select((s, rank) => new SoundMatch(sounds[s], -scores[rank])));
        return (perLabel, firstHit, votes.Count > 0 && asked.Labels.Contains(votes[0].Label));
    }
}
