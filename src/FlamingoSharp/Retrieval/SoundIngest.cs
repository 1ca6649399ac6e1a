using FlamingoSharp.Audio;

namespace FlamingoSharp.Retrieval;

/// <summary>How sounds are put into an index.</summary>
public sealed record IngestOptions
{
    /// <summary>Sounds written together; what a kill can cost is one batch of work, never a sound that was written.</summary>
    public int BatchSize { get; init; } = 32;
}

/// <summary>How far an ingest is; reported after every batch, when it is on disk.</summary>
/// <param name="Done">Entries dealt with.</param> <param name="Total">Entries in all.</param>
/// <param name="Added">Of these, new in the index.</param>
public readonly record struct IngestProgress(int Done, int Total, int Added);

/// <summary>What came of an ingest.</summary>
/// <param name="Added">Sounds that are new in the index.</param> <param name="Known">Entries whose content was there already.</param>
/// <param name="Failures">Files that are no sounds, with the reason; the others were added all the same.</param>
public sealed record IngestResult(int Added, int Known, IReadOnlyList<(string Path, string Reason)> Failures);

/// <summary>Puts sounds into a store, a batch a transaction. Files are read and decoded while the batch before is embedded.</summary>
internal sealed class SoundIngest(SoundStore store, ISoundEmbedder embedder, IngestOptions options)
{
    public async Task<IngestResult> RunAsync(IEnumerable<SoundEntry> entries, IProgress<IngestProgress>? progress, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.BatchSize);
        var all = entries.ToList();
        var seen = new HashSet<string>(); // one content under two names is one sound
        var failures = new List<(string, string)>();
        int done = 0, added = 0;
        SoundEntry[][] batches = [.. all.Chunk(options.BatchSize)];
        var next = batches.Length > 0 ? ReadAsync(batches[0], seen, failures, cancellation) : null;
        for (int i = 0; i < batches.Length; i++)
        {
            var batch = await next!.ConfigureAwait(false);
            next = i + 1 < batches.Length ? ReadAsync(batches[i + 1], seen, failures, cancellation) : null;
            try
            {
                added += await EmbedAsync(batch, cancellation).ConfigureAwait(false);
            }
            catch
            {
                if (next is not null)
                    await next.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).ConfigureAwait(false); // nothing reads on behind the caller's back
                throw;
            }
            done += batches[i].Length;
            progress?.Report(new IngestProgress(done, all.Count, added));
        }
        await store.OptimizeAsync(cancellation).ConfigureAwait(false);
        return new IngestResult(added, all.Count - added - failures.Count, failures);
    }

    private Task<List<(IndexedSound Sound, Recording Recording)>> ReadAsync(
        SoundEntry[] entries, HashSet<string> seen, List<(string, string)> failures, CancellationToken cancellation) => Task.Run(async () =>
        {
            var named = new List<IndexedSound>();
            foreach (var entry in entries)
            {
                try
                {
                    var sound = entry.ToIndexed(await FileHash.OfAsync(entry.Path, cancellation).ConfigureAwait(false));
                    if (seen.Add(sound.Id))
                        named.Add(sound);
                }
                catch (FlamingoException e) when (e.Kind == FlamingoErrorKind.Input)
                {
                    failures.Add((entry.Path, e.Message));
                }
            }
            var known = new HashSet<string>();
            await foreach (var record in store.GetAsync(named.Select(n => n.Id), cancellationToken: cancellation).ConfigureAwait(false))
                known.Add(record.Id);
            var read = new List<(IndexedSound, Recording)>();
            foreach (var sound in named.Where(n => !known.Contains(n.Id)))
            {
                try
                {
                    read.Add((sound, SoundFile.Load(sound.Path, embedder.Hearing(sound.StartSeconds, sound.DurationSeconds), cancellation)));
                }
                catch (FlamingoException e) when (e.Kind == FlamingoErrorKind.Input)
                {
                    failures.Add((sound.Path, e.Message));
                }
            }
            return read;
        }, cancellation);

    private async Task<int> EmbedAsync(List<(IndexedSound Sound, Recording Recording)> batch, CancellationToken cancellation)
    {
        if (batch.Count == 0)
            return 0;
        var embeddings = await embedder.Sounds.GenerateAsync(batch.Select(b => b.Recording), cancellationToken: cancellation).ConfigureAwait(false);
        await store.UpsertAsync(batch.Select((b, i) => b.Sound with { Embedding = embeddings[i].Vector }), cancellation).ConfigureAwait(false);
        return batch.Count;
    }
}
