using System.Runtime.CompilerServices;

namespace FlamingoSharp.Retrieval;

/// <summary>A store in memory, for indexes of a moment and for tests; searched exactly.</summary>
public sealed class MemorySoundStore : SoundStore
{
    private readonly Lock _lock = new();
    private List<IndexedSound> _records = [];
    private Dictionary<string, int> _rows = [];
    private VectorTable _table;

    /// <summary>Makes an empty store.</summary>
    /// <param name="encoder">Makes its vectors.</param> <param name="name">What messages call it.</param>
    public MemorySoundStore(EncoderIdentity encoder, string name = "memory")
    {
        ArgumentNullException.ThrowIfNull(encoder);
        (KnownEncoder, Name, _table) = (encoder, name, new VectorTable(encoder.Dimension));
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override Task OpenAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <inheritdoc/>
    public override Task<bool> CollectionExistsAsync(CancellationToken cancellationToken = default) => Task.FromResult(true);

    /// <inheritdoc/>
    public override Task EnsureCollectionExistsAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <inheritdoc/>
    public override Task EnsureCollectionDeletedAsync(CancellationToken cancellationToken = default)
    {
        lock (_lock)
            Rebuild([]);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task<long> CountAsync(CancellationToken cancellationToken = default)
    {
        lock (_lock)
            return Task.FromResult((long)_records.Count);
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<IndexedSound> ScanAsync(bool vectors = false, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        IndexedSound[] all;
        lock (_lock)
            all = [.. _records];
        foreach (var record in all)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return vectors ? record : record with { Embedding = default };
        }
        await Task.CompletedTask.ConfigureAwait(false);
    }

    private protected override Task<IReadOnlyList<IndexedSound>> ReadAsync(IReadOnlyCollection<string> ids, bool vectors, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return Task.FromResult<IReadOnlyList<IndexedSound>>([.. ids.Where(_rows.ContainsKey)
                .Select(id => vectors ? _records[_rows[id]] : _records[_rows[id]] with { Embedding = default })]);
        }
    }

    private protected override Task WriteAsync(IReadOnlyList<IndexedSound> records, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            foreach (var record in records)
            {
                if (_rows.TryGetValue(record.Id, out int row))
                {
                    _records[row] = record;
                    _table.Set(row, record.Embedding.Span);
                }
                else
                {
                    _rows.Add(record.Id, _records.Count);
                    _records.Add(record);
                    _table.Add(record.Embedding.Span);
                }
            }
        }
        return Task.CompletedTask;
    }

    private protected override Task EraseAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var gone = ids.Where(_rows.ContainsKey).ToHashSet();
            if (gone.Count > 0)
                Rebuild([.. _records.Where(r => !gone.Contains(r.Id))]);
        }
        return Task.CompletedTask;
    }

    private protected override Task<IReadOnlyList<SoundMatch>> NearestAsync(ReadOnlyMemory<float> vector, int count, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return Task.FromResult<IReadOnlyList<SoundMatch>>(
                [.. _table.Nearest(vector, count).Select(n => new SoundMatch(_records[n.Row] with { Embedding = default }, n.Score))]);
        }
    }

    private void Rebuild(List<IndexedSound> records)
    {
        (_records, _rows, _table) = (records, [], new VectorTable(Encoder.Dimension));
        foreach (var record in records)
        {
            _rows.Add(record.Id, _rows.Count);
            _table.Add(record.Embedding.Span);
        }
    }
}
