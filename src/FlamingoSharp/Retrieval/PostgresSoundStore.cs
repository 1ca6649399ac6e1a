using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.VectorData;
using Npgsql;
using NpgsqlTypes;

namespace FlamingoSharp.Retrieval;

/// <summary>
/// A store in a PostgreSQL database with the extension pgvector, for indexes that many machines use or that outgrow one. Searched through an
/// HNSW graph, which may miss a neighbour; few sounds, more than 1000 neighbours at once, and vectors of more than 2000 dimensions, are
/// searched exactly.
/// </summary>
/// <remarks>
/// One table an index, <c>flamingo_NAME</c>, and one for all, <c>flamingo_index</c>, which says what encoder made each. Vectors travel as
/// arrays of <c>real</c> and are cast by the server, so that nothing has to know the number of pgvector's type. The graph is made by
/// <see cref="OptimizeAsync"/>, after an ingest: made at once it takes a fraction of the time that it takes to grow it sound by sound.
/// </remarks>
public sealed class PostgresSoundStore : SoundStore
{
    private const int Version = 1;

    // Seconds that a write may take: a graph that is there makes it slow.
    private const int WriteSeconds = 600;

    private readonly NpgsqlDataSource _source;
    private readonly PostgresErrors _errors;
    private readonly string _table;

    /// <summary>Names a store; nothing is read or written yet.</summary>
    /// <param name="connection">Npgsql's connection string.</param> <param name="name">The index: small letters, digits and <c>_</c>.</param>
    /// <param name="encoder">Who makes the vectors; null takes any index as it is, and cannot make one.</param>
    /// <exception cref="FlamingoException">The connection string or the name is not of that form.</exception>
    public PostgresSoundStore(string connection, string name = "sounds", EncoderIdentity? encoder = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(connection);
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.Length > 40 || name.Any(c => c is not (>= 'a' and <= 'z' or >= '0' and <= '9' or '_')))
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{name}' cannot be the name of an index in PostgreSQL; use up to 40 small letters, digits and '_'.");
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(connection);
            _source = NpgsqlDataSource.Create(builder.ConnectionString);
            Name = string.Create(CultureInfo.InvariantCulture, $"{builder.Host}:{builder.Port}/{builder.Database}#{name}");
            _errors = new PostgresErrors(Name, $"{builder.Host}:{builder.Port}", builder.Database, builder.Username);
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage, $"The connection to PostgreSQL cannot be read: {e.Message}", e);
        }
        (Index, _table, KnownEncoder) = (name, $"flamingo_{name}", encoder);
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <summary>The index's name in its database.</summary>
    public string Index { get; }

    /// <inheritdoc/>
    public override Task<bool> CollectionExistsAsync(CancellationToken cancellationToken = default) =>
        OnServerAsync(async connection => await RecordedAsync(connection, cancellationToken).ConfigureAwait(false) is not null, cancellationToken);

    /// <inheritdoc/>
    public override Task OpenAsync(CancellationToken cancellationToken = default) => OnServerAsync(async connection =>
    {
        var recorded = await RecordedAsync(connection, cancellationToken).ConfigureAwait(false) ?? throw new FlamingoException(FlamingoErrorKind.Input,
            $"There is no index '{Index}' in the database of {Name}. 'flamingo index build DIR --out …' makes one.");
        return Accept(recorded);
    }, cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="FlamingoException">The server cannot be reached, has no pgvector, or another encoder made the index.</exception>
    public override Task EnsureCollectionExistsAsync(CancellationToken cancellationToken = default) => OnServerAsync(async connection =>
    {
        if (await RecordedAsync(connection, cancellationToken).ConfigureAwait(false) is { } recorded)
            return Accept(recorded);
        var maker = KnownEncoder ?? throw new InvalidOperationException("A new index needs an encoder.");
        await RunAsync(connection, "CREATE EXTENSION IF NOT EXISTS vector", cancellationToken).ConfigureAwait(false);
        using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        // Two processes that make the same index at once take turns here; the second finds it made.
        await RunAsync(connection, "SELECT pg_advisory_xact_lock(1179406665)", cancellationToken).ConfigureAwait(false);
        await RunAsync(connection, $"""
            CREATE TABLE IF NOT EXISTS flamingo_index (name text PRIMARY KEY, version integer NOT NULL, encoder text NOT NULL);
            CREATE TABLE IF NOT EXISTS {_table} (
                number bigserial PRIMARY KEY, id text NOT NULL UNIQUE, path text NOT NULL, hash text NOT NULL, labels text[] NOT NULL,
                caption text, start double precision NOT NULL, duration double precision, embedding vector({maker.Dimension}) NOT NULL);
            """, cancellationToken).ConfigureAwait(false);
        await RunAsync(connection, "INSERT INTO flamingo_index VALUES (@name, @version, @encoder) ON CONFLICT (name) DO NOTHING", cancellationToken,
            ("name", Index), ("version", Version), ("encoder", JsonSerializer.Serialize(maker, StoreJson.Default.EncoderIdentity))).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return Accept((await RecordedAsync(connection, cancellationToken).ConfigureAwait(false))!);
    }, cancellationToken);

    /// <inheritdoc/>
    public override Task EnsureCollectionDeletedAsync(CancellationToken cancellationToken = default) => OnServerAsync(async connection =>
    {
        if (await RecordedAsync(connection, cancellationToken).ConfigureAwait(false) is not null)
        {
            await RunAsync(connection, $"DROP TABLE IF EXISTS {_table}", cancellationToken).ConfigureAwait(false);
            await RunAsync(connection, "DELETE FROM flamingo_index WHERE name = @name", cancellationToken, ("name", Index)).ConfigureAwait(false);
        }
        return 0;
    }, cancellationToken);

    /// <inheritdoc/>
    public override Task<long> CountAsync(CancellationToken cancellationToken = default) =>
        OnServerAsync(async connection => (long)(await ScalarAsync(connection, $"SELECT count(*) FROM {_table}", cancellationToken).ConfigureAwait(false))!, cancellationToken);

    /// <inheritdoc/>
    public override Task<long?> SizeAsync(CancellationToken cancellationToken = default) =>
        OnServerAsync(async connection => (long?)await ScalarAsync(connection, $"SELECT pg_total_relation_size('{_table}')", cancellationToken).ConfigureAwait(false), cancellationToken);

    /// <inheritdoc/>
    public override async IAsyncEnumerable<IndexedSound> ScanAsync(bool vectors = false, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        const int Page = 1000;
        for (long last = 0; ;)
        {
            long after = last;
            var page = await OnServerAsync(connection => SelectAsync(connection,
                $"WHERE number > @after ORDER BY number LIMIT {Page}", vectors, cancellationToken, ("after", after)), cancellationToken).ConfigureAwait(false);
            foreach (var (number, _, record) in page)
            {
                last = number;
                yield return record;
            }
            if (page.Count < Page)
                yield break;
        }
    }

    private protected override Task<IReadOnlyList<IndexedSound>> ReadAsync(IReadOnlyCollection<string> ids, bool vectors, CancellationToken cancellationToken) =>
        OnServerAsync<IReadOnlyList<IndexedSound>>(async connection =>
        {
            string[] wanted = [.. ids.Distinct()];
            var found = (await SelectAsync(connection, "WHERE id = ANY (@ids)", vectors, cancellationToken, ("ids", wanted)).ConfigureAwait(false)).ToDictionary(r => r.Record.Id, r => r.Record);
            return [.. wanted.Where(found.ContainsKey).Select(id => found[id])];
        }, cancellationToken);

    // One statement of arrays: a statement for each sound costs more than the writing.
    private protected override Task WriteAsync(IReadOnlyList<IndexedSound> records, CancellationToken cancellationToken) => OnServerAsync(async connection =>
    {
        using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false); // PGlite lets no other client in between its parts
        using var insert = new NpgsqlCommand($"""
            INSERT INTO {_table} (id, path, hash, labels, caption, start, duration, embedding)
            SELECT r.id, r.path, r.hash, ARRAY(SELECT json_array_elements_text(r.labels::json)), r.caption, r.start, r.duration,
                   ($8::real[])[(r.n::integer - 1) * $9 + 1 : r.n::integer * $9]::vector
            FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::double precision[], $7::double precision[])
                 WITH ORDINALITY AS r (id, path, hash, labels, caption, start, duration, n)
            ORDER BY r.n
            ON CONFLICT (id) DO UPDATE SET path = excluded.path, labels = excluded.labels, caption = excluded.caption, embedding = excluded.embedding
            """, connection, transaction) { CommandTimeout = WriteSeconds };
        insert.Parameters.Add(Array(NpgsqlDbType.Text, records.Select(r => r.Id).ToArray()));
        insert.Parameters.Add(Array(NpgsqlDbType.Text, records.Select(r => r.Path).ToArray()));
        insert.Parameters.Add(Array(NpgsqlDbType.Text, records.Select(r => r.Hash).ToArray()));
        insert.Parameters.Add(Array(NpgsqlDbType.Text, records.Select(r => JsonSerializer.Serialize(r.Labels, StoreJson.Default.IReadOnlyListString)).ToArray()));
        insert.Parameters.Add(Array(NpgsqlDbType.Text, records.Select(r => r.Caption).ToArray()));
        insert.Parameters.Add(Array(NpgsqlDbType.Double, records.Select(r => r.StartSeconds).ToArray()));
        insert.Parameters.Add(Array(NpgsqlDbType.Double, records.Select(r => r.DurationSeconds).ToArray()));
        insert.Parameters.Add(Array(NpgsqlDbType.Real, records.SelectMany(r => r.Embedding.ToArray()).ToArray()));
        insert.Parameters.Add(new() { Value = Encoder.Dimension });
        int written = await insert.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return written;

        static NpgsqlParameter Array(NpgsqlDbType type, object values) => new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | type };
    }, cancellationToken);

    /// <summary>Makes the graph, if there are enough sounds and there is none; until then they are searched exactly.</summary>
    /// <inheritdoc/>
    public override Task OptimizeAsync(CancellationToken cancellationToken = default) => OnServerAsync(async connection =>
    {
        long count = (long)(await ScalarAsync(connection, $"SELECT count(*) FROM {_table}", cancellationToken).ConfigureAwait(false))!;
        if (count >= HnswGraph.From && Encoder.Dimension <= HnswGraph.MaxDimension)
            await HnswGraph.MakeAsync(connection, _table, count, Encoder.Dimension, cancellationToken).ConfigureAwait(false);
        return 0;
    }, cancellationToken);

    private protected override Task EraseAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken) => OnServerAsync(async connection =>
    {
        await RunAsync(connection, $"DELETE FROM {_table} WHERE id = ANY (@ids)", cancellationToken, ("ids", ids.ToArray())).ConfigureAwait(false);
        return 0;
    }, cancellationToken);

    private protected override Task<IReadOnlyList<SoundMatch>> NearestAsync(ReadOnlyMemory<float> vector, int count, CancellationToken cancellationToken) =>
        OnServerAsync<IReadOnlyList<SoundMatch>>(async connection =>
        {
            bool graph = count <= HnswGraph.MaxSearch && Encoder.Dimension <= HnswGraph.MaxDimension;
            var found = await SearchAsync(graph).ConfigureAwait(false);
            if (graph && found.Count < count) // the graph may lose some near its rim; that there are no more is for an exact search to say
                found = await SearchAsync(graph: false).ConfigureAwait(false);
            return [.. found.Select(f => new SoundMatch(f.Record, 1 - f.Distance))];

            async Task<List<(long Number, double Distance, IndexedSound Record)>> SearchAsync(bool graph)
            {
                using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
                // A longer list of candidates than neighbours wanted buys recall.
                await RunAsync(connection, graph ? $"SET LOCAL hnsw.ef_search = {Math.Clamp(4 * count, 100, HnswGraph.MaxSearch)}" : "SET LOCAL enable_indexscan = off", cancellationToken).ConfigureAwait(false);
                var rows = await SelectAsync(connection, "ORDER BY distance LIMIT @count", vectors: false, cancellationToken, ("count", count), ("query", vector.ToArray())).ConfigureAwait(false);
                await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
                return rows;
            }
        }, cancellationToken);

    /// <summary>Whether a usual search goes through the graph; for tests.</summary>
    internal Task<bool> UsesGraphAsync(CancellationToken cancellationToken = default) => OnServerAsync(async connection =>
    {
        using var command = new NpgsqlCommand($"EXPLAIN SELECT number FROM {_table} ORDER BY embedding <=> @query::vector LIMIT 10", connection);
        command.Parameters.AddWithValue("query", new float[Encoder.Dimension]);
        using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        bool graph = false;
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            graph |= reader.GetString(0).Contains(HnswGraph.NameOf(_table), StringComparison.Ordinal);
        return graph;
    }, cancellationToken);

    /// <inheritdoc/>
    public override object? GetService(Type serviceType, object? serviceKey = null) => serviceType == typeof(VectorStoreCollectionMetadata)
        ? new VectorStoreCollectionMetadata { VectorStoreSystemName = "postgresql", CollectionName = Index }
        : base.GetService(serviceType, serviceKey);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _source.Dispose();
        base.Dispose(disposing);
    }

    private int Accept(EncoderIdentity recorded)
    {
        if (KnownEncoder is not null)
            recorded.Require(Name, KnownEncoder);
        KnownEncoder = recorded;
        return 0;
    }

    private async Task<EncoderIdentity?> RecordedAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (await ScalarAsync(connection, "SELECT to_regclass('flamingo_index')::text", cancellation).ConfigureAwait(false) is not string)
            return null;
        using var command = new NpgsqlCommand("SELECT version, encoder FROM flamingo_index WHERE name = @name", connection);
        command.Parameters.AddWithValue("name", Index);
        using var reader = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        if (!await reader.ReadAsync(cancellation).ConfigureAwait(false))
            return null;
        return reader.GetInt32(0) == Version
            ? JsonSerializer.Deserialize(reader.GetString(1), StoreJson.Default.EncoderIdentity)
            : throw new FlamingoException(FlamingoErrorKind.Input, $"The index '{Name}' has version {reader.GetInt32(0)}, but this program reads version {Version}. Use the program that made it, or build it anew.");
    }

    private async Task<List<(long Number, double Distance, IndexedSound Record)>> SelectAsync(
        NpgsqlConnection connection, string where, bool vectors, CancellationToken cancellation, params (string Name, object Value)[] parameters)
    {
        bool search = parameters.Any(p => p.Name == "query");
        using var command = new NpgsqlCommand($"""
            SELECT number, id, path, hash, labels, caption, start, duration, {(search ? "embedding <=> @query::vector AS distance" : "0::double precision")}{(vectors ? ", embedding::real[]" : "")}
            FROM {_table} {where}
            """, connection);
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        using var reader = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        var found = new List<(long, double, IndexedSound)>();
        while (await reader.ReadAsync(cancellation).ConfigureAwait(false))
        {
            found.Add((reader.GetInt64(0), reader.GetDouble(8), new IndexedSound
            {
                Id = reader.GetString(1),
                Path = reader.GetString(2),
                Hash = reader.GetString(3),
                Labels = reader.GetFieldValue<string[]>(4),
                Caption = reader.IsDBNull(5) ? null : reader.GetString(5),
                StartSeconds = reader.GetDouble(6),
                DurationSeconds = reader.IsDBNull(7) ? null : reader.GetDouble(7),
                Embedding = vectors ? reader.GetFieldValue<float[]>(9) : default(ReadOnlyMemory<float>),
            }));
        }
        return found;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation, params (string Name, object Value)[] parameters)
    {
        using var command = new NpgsqlCommand(sql, connection);
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false);
    }

    private async Task<T> OnServerAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellation)
    {
        try
        {
            using var connection = await _source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
            return await work(connection).ConfigureAwait(false);
        }
        catch (Exception e) when (e is NpgsqlException or System.Net.Sockets.SocketException or TimeoutException)
        {
            throw _errors.Explain(e);
        }
    }
}
