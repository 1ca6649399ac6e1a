using System.Globalization;
using FlamingoSharp.Retrieval;
using Microsoft.Extensions.VectorData;

namespace FlamingoSharp.Training.DataSets;

/// <summary>The embeddings of a data set's sounds, from an index that is completed first: what it holds already is not embedded again.</summary>
internal static class IndexedVectors
{
    private const int ReadTogether = 1000;

    /// <summary>Which part of which file an entry is about.</summary>
    public static (string Path, double Start, double? Duration) PartOf(SoundEntry sound) => (sound.Path, sound.StartSeconds, sound.DurationSeconds);

    /// <summary>Completes an index, and reads the vectors of sounds from it.</summary>
    /// <param name="index">The index; sounds are added to it.</param> <param name="sounds">Once each.</param>
    /// <param name="progress">Told after each batch, when it is on disk.</param> <param name="cancellation">Stops; what was added stays.</param>
    /// <returns>The vector of each of the sounds, of length 1.</returns>
    /// <exception cref="FlamingoException">A sound cannot be read.</exception>
    public static async Task<Func<SoundEntry, float[]>> ReadAsync(
        SoundIndex index, IReadOnlyList<SoundEntry> sounds, IProgress<IngestProgress>? progress = null, CancellationToken cancellation = default)
    {
        var result = await index.AddAsync(sounds, progress: progress, cancellation: cancellation).ConfigureAwait(false);
        if (result.Failures.Count > 0)
        {
            throw new FlamingoException(FlamingoErrorKind.Input, string.Create(CultureInfo.InvariantCulture,
                $"{result.Failures.Count} of {sounds.Count} sounds cannot be compared with others: {result.Failures[0].Reason} 'flamingo data validate' lists all."));
        }
        Dictionary<string, string> hashes = [];
        Dictionary<(string, double, double?), float[]> vectors = [];
        foreach (var part in sounds.Chunk(ReadTogether))
        {
            List<(SoundEntry Sound, string Id)> named = [];
            foreach (var sound in part)
            {
                if (!hashes.TryGetValue(sound.Path, out string? hash))
                    hashes.Add(sound.Path, hash = await FileHash.OfAsync(sound.Path, cancellation).ConfigureAwait(false));
                named.Add((sound, sound.ToIndexed(hash).Id));
            }
            var read = await index.Store.GetAsync(named.Select(n => n.Id).Distinct(), new RecordRetrievalOptions { IncludeVectors = true }, cancellation)
                .ToDictionaryAsync(r => r.Id, r => r.Embedding.ToArray(), cancellationToken: cancellation).ConfigureAwait(false);
            foreach (var (sound, id) in named)
                vectors[PartOf(sound)] = read.TryGetValue(id, out float[]? vector) ? vector : throw new FlamingoException(FlamingoErrorKind.Input, $"'{sound.Path}' was changed while it was read; run the command again.");
        }
        return sound => vectors[PartOf(sound)];
    }
}
