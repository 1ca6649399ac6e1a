using System.Linq.Expressions;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;

namespace FlamingoSharp.Retrieval;

/// <summary>
/// Where an index keeps its sounds, as a collection of Microsoft.Extensions.VectorData. What differs between stores is a few operations on
/// records; keys, filters, paging and checks are the same for all.
/// </summary>
/// <remarks>
/// Vectors are brought to length 1 when they are written, and compared by their cosine. A write is atomic: all of its records are there
/// afterwards, or none. Filters are run on the records themselves, so any expression is legal.
/// </remarks>
public abstract class SoundStore : VectorStoreCollection<string, IndexedSound>
{
    /// <summary>The encoder that made the vectors; known once the store is open.</summary>
    /// <exception cref="InvalidOperationException">The store is not open.</exception>
    public EncoderIdentity Encoder => KnownEncoder ?? throw new InvalidOperationException("The store is not open yet.");

    /// <summary>The recorded encoder, or the one that a new store is to record; null until known.</summary>
    private protected EncoderIdentity? KnownEncoder { get; set; }

    /// <summary>Opens a store that exists.</summary>
    /// <exception cref="FlamingoException">There is none, it cannot be used, or another encoder made it.</exception>
    public abstract Task OpenAsync(CancellationToken cancellationToken = default);

    /// <summary>How many sounds there are.</summary>
    public abstract Task<long> CountAsync(CancellationToken cancellationToken = default);

    /// <summary>Bytes that the store takes; null where it cannot tell.</summary>
    public virtual Task<long?> SizeAsync(CancellationToken cancellationToken = default) => Task.FromResult<long?>(null);

    /// <summary>Prepares the store for searching after many sounds were added; what is found is the same without it. An ingest ends with it.</summary>
    public virtual Task OptimizeAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <summary>All sounds, in the order in which they were added.</summary>
    /// <param name="vectors">Whether their vectors are wanted.</param> <param name="cancellationToken">Stops.</param>
    public abstract IAsyncEnumerable<IndexedSound> ScanAsync(bool vectors = false, CancellationToken cancellationToken = default);

    /// <summary>The records with these ids; ids that are not there are left out.</summary>
    private protected abstract Task<IReadOnlyList<IndexedSound>> ReadAsync(IReadOnlyCollection<string> ids, bool vectors, CancellationToken cancellationToken);

    /// <summary>Adds or replaces, in one transaction. Vectors are of the right width and of length 1.</summary>
    private protected abstract Task WriteAsync(IReadOnlyList<IndexedSound> records, CancellationToken cancellationToken);

    /// <summary>Removes, in one transaction; ids that are not there are no error.</summary>
    private protected abstract Task EraseAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken);

    /// <summary>The nearest by cosine, best first, without their vectors.</summary>
    private protected abstract Task<IReadOnlyList<SoundMatch>> NearestAsync(ReadOnlyMemory<float> vector, int count, CancellationToken cancellationToken);

    /// <summary>The nearest sounds that pass a test, best first.</summary>
    /// <param name="vector">Of the encoder's width; any length but 0.</param> <param name="count">How many at most.</param>
    /// <param name="accept">The test; null takes all.</param> <param name="cancellationToken">Stops.</param>
    /// <exception cref="FlamingoException">The vector is of another width, is 0, or holds what is no number.</exception>
    public async Task<IReadOnlyList<SoundMatch>> NearestAsync(
        ReadOnlyMemory<float> vector, int count, Func<SoundMatch, bool>? accept, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        var unit = Unit(vector, "The vector asked for");
        for (int wanted = accept is null ? count : count + 8; ; wanted = (int)Math.Min(int.MaxValue, 4L * wanted))
        {
            var found = await NearestAsync(unit, wanted, cancellationToken).ConfigureAwait(false);
            var accepted = accept is null ? found : [.. found.Where(accept).Take(count)];
            if (accepted.Count >= count || found.Count < wanted)
                return accepted;
        }
    }

    /// <inheritdoc/>
    public override async Task<IndexedSound?> GetAsync(string key, RecordRetrievalOptions? options = null, CancellationToken cancellationToken = default) =>
        (await ReadAsync([key], options?.IncludeVectors ?? false, cancellationToken).ConfigureAwait(false)).SingleOrDefault();

    /// <inheritdoc/>
    public override async IAsyncEnumerable<IndexedSound> GetAsync(
        IEnumerable<string> keys, RecordRetrievalOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var record in await ReadAsync([.. keys], options?.IncludeVectors ?? false, cancellationToken).ConfigureAwait(false))
            yield return record;
    }

    /// <inheritdoc/>
    /// <remarks>Sounds come in the order in which they were added; another order is not supported.</remarks>
    /// <exception cref="NotSupportedException">An order is asked for.</exception>
    public override async IAsyncEnumerable<IndexedSound> GetAsync(
        Expression<Func<IndexedSound, bool>> filter, int top, FilteredRecordRetrievalOptions<IndexedSound>? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        if (options?.OrderBy is not null)
            throw new NotSupportedException("Sounds come in the order in which they were added; sort them afterwards.");
        var passes = filter.Compile();
        int skip = options?.Skip ?? 0, given = 0;
        await foreach (var record in ScanAsync(options?.IncludeVectors ?? false, cancellationToken).ConfigureAwait(false))
        {
            if (!passes(record) || skip-- > 0)
                continue;
            if (given++ == top)
                yield break;
            yield return record;
        }
    }

    /// <summary>Removes the sounds that pass a test.</summary>
    /// <returns>How many.</returns>
    public async Task<int> RemoveAsync(Func<IndexedSound, bool> which, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(which);
        var ids = new List<string>();
        await foreach (var sound in ScanAsync(vectors: false, cancellationToken).ConfigureAwait(false))
        {
            if (which(sound))
                ids.Add(sound.Id);
        }
        await EraseAsync(ids, cancellationToken).ConfigureAwait(false);
        return ids.Count;
    }

    /// <inheritdoc/>
    public override Task DeleteAsync(string key, CancellationToken cancellationToken = default) => EraseAsync([key], cancellationToken);

    /// <inheritdoc/>
    public override Task DeleteAsync(IEnumerable<string> keys, CancellationToken cancellationToken = default) => EraseAsync([.. keys], cancellationToken);

    /// <inheritdoc/>
    public override Task UpsertAsync(IndexedSound record, CancellationToken cancellationToken = default) => UpsertAsync([record], cancellationToken);

    /// <inheritdoc/>
    /// <remarks>All in one transaction.</remarks>
    /// <exception cref="FlamingoException">A vector is of another width, is 0, or holds what is no number.</exception>
    public override Task UpsertAsync(IEnumerable<IndexedSound> records, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(records);
        IndexedSound[] normed = [.. records.GroupBy(r => r.Id).Select(g => g.Last()).Select(r => r with { Embedding = Unit(r.Embedding, $"The vector of '{r.Path}'") })];
        return normed.Length == 0 ? Task.CompletedTask : WriteAsync(normed, cancellationToken);
    }

    /// <inheritdoc/>
    /// <typeparam name="TInput">Vectors: <see cref="ReadOnlyMemory{T}"/>, an array, or <see cref="Embedding{T}"/>, of <see cref="float"/>.</typeparam>
    /// <exception cref="NotSupportedException">What is searched for is no vector: embed it first.</exception>
    public override async IAsyncEnumerable<VectorSearchResult<IndexedSound>> SearchAsync<TInput>(
        TInput searchValue, int top, VectorSearchOptions<IndexedSound>? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var vector = searchValue switch
        {
            ReadOnlyMemory<float> memory => memory,
            float[] array => array,
            Embedding<float> embedding => embedding.Vector,
            _ => throw new NotSupportedException($"A {typeof(TInput).Name} cannot be searched for; embed it first."),
        };
        var passes = options?.Filter?.Compile();
        double least = options?.ScoreThreshold ?? double.NegativeInfinity;
        int skip = options?.Skip ?? 0;
        var found = await NearestAsync(vector, top + skip, passes is null ? null : m => passes(m.Sound), cancellationToken).ConfigureAwait(false);
        var shown = found.Skip(skip).Where(m => m.Similarity >= least).ToList();
        var vectors = options?.IncludeVectors == true
            ? (await ReadAsync([.. shown.Select(m => m.Sound.Id)], vectors: true, cancellationToken).ConfigureAwait(false)).ToDictionary(r => r.Id)
            : null;
        foreach (var match in shown)
            yield return new VectorSearchResult<IndexedSound>(vectors?.GetValueOrDefault(match.Sound.Id) ?? match.Sound, match.Similarity);
    }

    /// <inheritdoc/>
    public override object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;
    }

    private ReadOnlyMemory<float> Unit(ReadOnlyMemory<float> vector, string what)
    {
        if (vector.Length != Encoder.Dimension)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"{what} has {vector.Length} dimensions, but the index '{Name}' holds vectors of {Encoder.Dimension}, made by {Encoder.Name}. Embed it with that encoder.");
        }
        float norm = TensorPrimitives.Norm(vector.Span);
        if (!float.IsFinite(norm) || norm == 0)
            throw new FlamingoException(FlamingoErrorKind.Input, $"{what} is {(norm == 0 ? "0" : "not finite")}, so it is like nothing; leave the sound out.");
        float[] unit = new float[vector.Length];
        TensorPrimitives.Divide(vector.Span, norm, unit);
        return unit;
    }
}
