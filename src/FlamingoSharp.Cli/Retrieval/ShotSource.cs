using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Cli.Retrieval;

/// <summary>Gives each sound its examples.</summary>
internal sealed class ShotSource : IDisposable
{
    private readonly ShotSet? _fixed;
    private readonly int _count;
    private readonly int? _seed;

    /// <param name="shots">The same for every sound.</param>
    public ShotSource(ShotSet shots) => _fixed = shots;

    /// <param name="index">Disposed with the source, and its encoder too.</param> <param name="count">Examples.</param> <param name="seed">Draws them at random; null takes the most alike.</param>
    public ShotSource(SoundIndex index, int count, int? seed) => (Index, _count, _seed) = (index, count, seed);

    /// <summary>Where they come from; null for hand-picked ones.</summary>
    public SoundIndex? Index { get; }

    /// <summary>The labels of the index, by name.</summary>
    public async Task<IReadOnlyList<string>> LabelsAsync(CancellationToken cancellation) => Index is null
        ? [.. _fixed!.Entries.Select(e => e.Answer).Distinct().Order(StringComparer.Ordinal)]
        : [.. (await Index.Store.ScanAsync(cancellationToken: cancellation).SelectMany(s => s.Labels).Distinct().ToListAsync(cancellation).ConfigureAwait(false)).Order(StringComparer.Ordinal)];

    /// <summary>The examples for a file.</summary>
    public Task<ShotSet> ForAsync(string file, IReadOnlyList<string>? labels, (double Start, double? Duration) part, CancellationToken cancellation) =>
        _fixed is not null ? Task.FromResult(_fixed)
        : _seed is { } seed ? FewShot.RandomAsync(Index!, file, _count, seed, labels, cancellation)
        : FewShot.SimilarAsync(Index!, file, _count, labels, part.Start, part.Duration, cancellation);

    /// <summary>What the nearest neighbours alone say; empty where there is no index.</summary>
    public async Task<IReadOnlyList<LabelVote>> VoteAsync(string file, IReadOnlyList<string>? labels, (double Start, double? Duration) part, CancellationToken cancellation) => Index is null
        ? []
        : LabelVote.Count(await Index.QueryAsync(file, new QueryOptions
        {
            Top = _count,
            Where = s => labels is null ? s.Labels.Count > 0 : s.Labels.Any(l => labels.Contains(l, StringComparer.OrdinalIgnoreCase)),
        }, part.Start, part.Duration, cancellation).ConfigureAwait(false), labels);

    public void Dispose()
    {
        Index?.Embedder.Dispose();
        Index?.Dispose();
    }
}
