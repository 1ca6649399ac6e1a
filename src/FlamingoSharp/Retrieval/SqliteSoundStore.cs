using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using SQLitePCL;

namespace FlamingoSharp.Retrieval;

/// <summary>
/// A store in one file. Searched exactly, with the vectors in memory; other processes may read and write the same file, and a process
/// that is killed leaves every write whole.
/// </summary>
/// <remarks>
/// SQLite, with a write-ahead log while it is open for writing, so that readers never wait for a writer; when the last one closes it the log
/// is folded into the file. Every write is on disk before it returns.
/// </remarks>
public sealed class SqliteSoundStore : SoundStore
{
    private readonly SqliteIndexFile _file;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private VectorTable? _table;        // the vectors, as of _version
    private readonly List<long> _numbers = []; // the record of each row, rising
    private long _generation = -1;      // raised whenever a vector that was there changes or goes
    private long _version = -1;         // SQLite's count of other connections' writes

    /// <summary>Names a store; nothing is read or written yet.</summary>
    /// <param name="path">The file.</param> <param name="encoder">Who makes the vectors; null takes any store as it is, and cannot make one.</param>
    /// <param name="readOnly">True never writes, so that a file without the right to write will do.</param>
    public SqliteSoundStore(string path, EncoderIdentity? encoder = null, bool readOnly = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _file = new SqliteIndexFile(path, readOnly);
        KnownEncoder = encoder;
    }

    /// <inheritdoc/>
    public override string Name => _file.Path;

    /// <inheritdoc/>
    public override Task<bool> CollectionExistsAsync(CancellationToken cancellationToken = default) => Task.FromResult(File.Exists(_file.Path));

    /// <inheritdoc/>
    public override Task OpenAsync(CancellationToken cancellationToken = default) => InTurnAsync(() => Open(create: false), cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="FlamingoException">The file is no index, is damaged, or was made by another encoder.</exception>
    public override Task EnsureCollectionExistsAsync(CancellationToken cancellationToken = default) => InTurnAsync(() => Open(create: true), cancellationToken);

    /// <inheritdoc/>
    public override Task EnsureCollectionDeletedAsync(CancellationToken cancellationToken = default) => InTurnAsync(() =>
    {
        Forget();
        _file.Delete();
        return 0;
    }, cancellationToken);

    /// <inheritdoc/>
    public override Task<long> CountAsync(CancellationToken cancellationToken = default) =>
        InTurnAsync(() => (long)_file.Scalar("SELECT count(*) FROM sounds")!, cancellationToken);

    /// <inheritdoc/>
    public override Task<long?> SizeAsync(CancellationToken cancellationToken = default) =>
        InTurnAsync(() => (long?)((long)_file.Scalar("PRAGMA page_count")! * (long)_file.Scalar("PRAGMA page_size")!), cancellationToken);

    /// <inheritdoc/>
    public override async IAsyncEnumerable<IndexedSound> ScanAsync(bool vectors = false, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        const int Page = 1000;
        for (long last = 0; ;)
        {
            long after = last;
            var page = await InTurnAsync(() => Select($"WHERE number > @after ORDER BY number LIMIT {Page}", vectors, ("@after", after)), cancellationToken).ConfigureAwait(false);
            foreach (var (number, record) in page)
            {
                last = number;
                yield return record;
            }
            if (page.Count < Page)
                yield break;
        }
    }

    private protected override Task<IReadOnlyList<IndexedSound>> ReadAsync(IReadOnlyCollection<string> ids, bool vectors, CancellationToken cancellationToken) =>
        InTurnAsync<IReadOnlyList<IndexedSound>>(() => [.. ids.Distinct().SelectMany(id => Select("WHERE id = @id", vectors, ("@id", id))).Select(r => r.Record)], cancellationToken);

    private protected override Task WriteAsync(IReadOnlyList<IndexedSound> records, CancellationToken cancellationToken) => InTurnAsync(() => _file.Write(transaction =>
    {
        bool changed = false;
        foreach (var record in records)
        {
            changed |= _file.Run("DELETE FROM vectors WHERE number = (SELECT number FROM sounds WHERE id = @id)", transaction, ("@id", record.Id)) > 0;
            _file.Run("""
                INSERT INTO sounds (id, path, hash, labels, caption, start, duration) VALUES (@id, @path, @hash, @labels, @caption, @start, @duration)
                ON CONFLICT (id) DO UPDATE SET path = excluded.path, labels = excluded.labels, caption = excluded.caption
                """, transaction,
                ("@id", record.Id), ("@path", record.Path), ("@hash", record.Hash), ("@labels", JsonSerializer.Serialize(record.Labels, StoreJson.Default.IReadOnlyListString)),
                ("@caption", record.Caption), ("@start", record.StartSeconds), ("@duration", record.DurationSeconds));
            _file.Run("INSERT INTO vectors (number, vector) VALUES ((SELECT number FROM sounds WHERE id = @id), @vector)", transaction,
                ("@id", record.Id), ("@vector", MemoryMarshal.AsBytes(record.Embedding.Span).ToArray()));
        }
        if (changed)
            _file.Run(SqliteIndexFile.RaiseGeneration, transaction);
    }), cancellationToken);

    private protected override Task EraseAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken) => InTurnAsync(() => _file.Write(transaction =>
    {
        int gone = 0;
        foreach (string id in ids)
        {
            _file.Run("DELETE FROM vectors WHERE number = (SELECT number FROM sounds WHERE id = @id)", transaction, ("@id", id));
            gone += _file.Run("DELETE FROM sounds WHERE id = @id", transaction, ("@id", id));
        }
        if (gone > 0)
            _file.Run(SqliteIndexFile.RaiseGeneration, transaction);
    }), cancellationToken);

    private protected override Task<IReadOnlyList<SoundMatch>> NearestAsync(ReadOnlyMemory<float> vector, int count, CancellationToken cancellationToken) =>
        InTurnAsync<IReadOnlyList<SoundMatch>>(() =>
        {
            Refresh();
            var matches = new List<SoundMatch>();
            foreach (var (row, score) in _table!.Nearest(vector, count))
            {
                // Another process may have removed it since.
                if (Select("WHERE number = @number", vectors: false, ("@number", _numbers[row])) is [var found])
                    matches.Add(new SoundMatch(found.Record, score));
            }
            return matches;
        }, cancellationToken);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _file.Dispose();
            _turn.Dispose();
        }
        base.Dispose(disposing);
    }

    private int Open(bool create)
    {
        var recorded = _file.Open(create ? KnownEncoder : null);
        if (KnownEncoder is not null)
            recorded.Require(Name, KnownEncoder);
        KnownEncoder = recorded;
        return 0;
    }

    private void Forget()
    {
        _table = null;
        _numbers.Clear();
        (_generation, _version) = (-1, -1);
    }

    /// <summary>Reads the vectors that are new, or all where an old one has changed.</summary>
    private void Refresh()
    {
        long version = (long)_file.Scalar("PRAGMA data_version")! + _file.OwnWrites;
        if (_table is not null && version == _version)
            return;
        _file.Read(() =>
        {
            long generation = long.Parse((string)_file.Scalar("SELECT value FROM meta WHERE key = 'generation'")!, System.Globalization.CultureInfo.InvariantCulture);
            if (_table is null || generation != _generation)
            {
                Forget();
                _table = new VectorTable(Encoder.Dimension);
            }
            using var command = _file.Command("SELECT number, vector FROM vectors WHERE number > @last ORDER BY number", ("@last", _numbers.Count > 0 ? _numbers[^1] : 0L));
            using var reader = command.ExecuteReader();
            while (reader.Read())
            {
                // Straight from SQLite's memory: a hundred thousand arrays are not made to be thrown away.
                VectorIn(raw.sqlite3_column_blob(reader.Handle, 1), reader.GetInt64(0)).CopyTo(_table.Next());
                _table.Commit();
                _numbers.Add(reader.GetInt64(0));
            }
            (_generation, _version) = (generation, version);
        });
    }

    private List<(long Number, IndexedSound Record)> Select(string where, bool vectors, params (string, object?)[] parameters)
    {
        using var command = _file.Command($"""
            SELECT number, id, path, hash, labels, caption, start, duration{(vectors ? ", (SELECT vector FROM vectors v WHERE v.number = s.number)" : "")}
            FROM sounds s {where}
            """, parameters);
        using var reader = command.ExecuteReader();
        var found = new List<(long, IndexedSound)>();
        while (reader.Read())
        {
            found.Add((reader.GetInt64(0), new IndexedSound
            {
                Id = reader.GetString(1),
                Path = reader.GetString(2),
                Hash = reader.GetString(3),
                Labels = JsonSerializer.Deserialize(reader.GetString(4), StoreJson.Default.IReadOnlyListString) ?? [],
                Caption = reader.IsDBNull(5) ? null : reader.GetString(5),
                StartSeconds = reader.GetDouble(6),
                DurationSeconds = reader.IsDBNull(7) ? null : reader.GetDouble(7),
                Embedding = vectors ? VectorIn(raw.sqlite3_column_blob(reader.Handle, 8), reader.GetInt64(0)).ToArray() : default,
            }));
        }
        return found;
    }

    private ReadOnlySpan<float> VectorIn(ReadOnlySpan<byte> blob, long number)
    {
        if (blob.Length != Encoder.Dimension * sizeof(float))
        {
            throw new FlamingoException(FlamingoErrorKind.Input,
                $"The index '{Name}' is damaged: the vector of its sound {number} has {blob.Length} bytes instead of {Encoder.Dimension * sizeof(float)}. Build it anew.");
        }
        return MemoryMarshal.Cast<byte, float>(blob);
    }

    private async Task<T> InTurnAsync<T>(Func<T> work, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return _file.Guard(work);
        }
        finally
        {
            _turn.Release();
        }
    }
}
