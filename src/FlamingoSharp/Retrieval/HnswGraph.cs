using System.Globalization;
using Npgsql;

namespace FlamingoSharp.Retrieval;

/// <summary>The HNSW graph of a table with vectors in PostgreSQL: when there is to be one, and how it is made.</summary>
/// <remarks>Source: the manual of pgvector, on indexing and on build time.</remarks>
internal static class HnswGraph
{
    /// <summary>Most dimensions of a vector that a graph takes.</summary>
    public const int MaxDimension = 2000;

    /// <summary>Most neighbours that a search through a graph considers, and finds: pgvector's limit of <c>hnsw.ef_search</c>.</summary>
    public const int MaxSearch = 1000;

    /// <summary>Sounds from which on a graph is faster than comparing all.</summary>
    public const int From = 5000;

    // Megabytes of maintenance_work_mem: what a server has by default, and what is asked of it at most.
    private const long DefaultMemory = 64, MostMemory = 2048;

    /// <summary>Makes the graph of a table, if there is none. One that is killed leaves none; readers do not wait for it, writers do.</summary>
    /// <param name="connection">Open.</param> <param name="table">The table, whose vectors are in the column <c>embedding</c>.</param>
    /// <param name="rows">Vectors in it.</param> <param name="dimension">Width of a vector.</param> <param name="cancellation">Stops.</param>
    public static async Task MakeAsync(NpgsqlConnection connection, string table, long rows, int dimension, CancellationToken cancellation)
    {
        using var transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
        // Two processes take turns here; the second finds it made.
        await RunAsync($"SELECT pg_advisory_xact_lock(1179406665, hashtext('{table}'))").ConfigureAwait(false);
        // A graph that does not fit the memory for it is made many times slower; a vertex has its vector and some 300 bytes of links.
        long megabytes = rows * ((sizeof(float) * dimension) + 300) / (1 << 20) * 5 / 4;
        if (megabytes > DefaultMemory)
            await RunAsync(string.Create(CultureInfo.InvariantCulture, $"SET LOCAL maintenance_work_mem = '{Math.Min(megabytes, MostMemory)}MB'")).ConfigureAwait(false);
        await RunAsync($"CREATE INDEX IF NOT EXISTS {NameOf(table)} ON {table} USING hnsw (embedding vector_cosine_ops)").ConfigureAwait(false);
        await transaction.CommitAsync(cancellation).ConfigureAwait(false);

        async Task RunAsync(string sql)
        {
            using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 }; // as long as it takes
            await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>What the graph of a table is called.</summary>
    public static string NameOf(string table) => $"{table}_hnsw";
}
