using FlamingoSharp.Retrieval;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Tests.Retrieval;

/// <summary>The contract on a real PostgreSQL with the real pgvector, and what only a server can be.</summary>
public sealed class PostgresSoundStoreTests : SoundStoreTests
{
    private static string Connection
    {
        get
        {
            Assert.SkipWhen(PostgresServer.Shared is null, PostgresServer.Missing);
            return PostgresServer.Shared!.Connection;
        }
    }

    private protected override SoundStore Store(string name, EncoderIdentity? encoder) => new PostgresSoundStore(Connection, name, encoder);

    [Fact]
    public async Task Hnsw_finds_at_least_95_of_100_true_neighbours_among_10000()
    {
        const int Count = 10_000, Dimension = 64, Queries = 50, Top = 10;
        var maker = Maker with { Dimension = Dimension };
        float[][] centres = [.. Enumerable.Range(0, 200).Select(i => FakeEmbedder.Vector(i, Dimension))];
        float[] Point(int seed) => [.. centres[seed % centres.Length].Zip(FakeEmbedder.Vector(1_000_000 + seed, Dimension), (c, n) => c + 0.7f * n)];
        using var graph = new PostgresSoundStore(Connection, $"t{Guid.NewGuid():N}", maker);
        using var exact = new MemorySoundStore(maker);
        await graph.EnsureCollectionExistsAsync();
        foreach (int[] part in Enumerable.Range(0, Count).Chunk(1000))
        {
            var sounds = part.Select(i => Sound(i) with { Embedding = Point(i) }).ToList();
            await graph.UpsertAsync(sounds);
            await exact.UpsertAsync(sounds);
        }
        Assert.False(await graph.UsesGraphAsync());
        await graph.OptimizeAsync();
        await graph.OptimizeAsync(); // what is made is not made again
        Assert.True(await graph.UsesGraphAsync(), "the search does not use the HNSW index");
        int found = 0;
        for (int q = 0; q < Queries; q++)
        {
            float[] query = Point(Count + q);
            var truth = await exact.SearchAsync(query, Top).Select(r => r.Record.Id).ToListAsync();
            found += (await graph.SearchAsync(query, Top).Select(r => r.Record.Id).ToListAsync()).Intersect(truth).Count();
        }
        double recall = (double)found / (Queries * Top);
        TestContext.Current.TestOutputHelper?.WriteLine($"recall@{Top}: {recall:0.0000}");
        Assert.InRange(recall, 0.95, 1.0);
        await graph.EnsureCollectionDeletedAsync();
    }

    [Fact]
    public async Task A_server_without_pgvector_is_said_to_be_one()
    {
        using var bare = PostgresServer.StartPglite(withVector: false);
        Assert.SkipWhen(bare is null, PostgresServer.Missing);
        using var store = new PostgresSoundStore(bare!.Connection, "sounds", Maker);
        var error = await Assert.ThrowsAsync<FlamingoException>(() => store.EnsureCollectionExistsAsync());
        Assert.Equal(FlamingoErrorKind.Input, error.Kind);
        Assert.Matches(@"^The PostgreSQL server 127\.0\.0\.1:\d+ has no extension 'vector' \(.*\)\. Install pgvector on it\.$", error.Message);
    }

    [Fact]
    public async Task An_unreachable_server_is_said_to_be_one_and_no_password_is_shown()
    {
        using var store = (PostgresSoundStore)IndexLocation.Store("postgres://me:secret@127.0.0.1:1/db?index=birds", Maker);
        Assert.Equal("127.0.0.1:1/db#birds", store.Name);
        var error = await Assert.ThrowsAsync<FlamingoException>(() => store.OpenAsync());
        Assert.Equal("The PostgreSQL server 127.0.0.1:1 cannot be reached: Connection refused. Check the address, and that it runs.", error.Message);
        Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_index_is_not_made_by_asking()
    {
        using var store = new PostgresSoundStore(Connection, "never_made", Maker);
        var error = await Assert.ThrowsAsync<FlamingoException>(() => store.OpenAsync());
        Assert.Equal($"There is no index 'never_made' in the database of {store.Name}. 'flamingo index build DIR --out …' makes one.", error.Message);
        Assert.False(await store.CollectionExistsAsync());
    }

    [Theory]
    [InlineData("postgres:///x", "The URL of the PostgreSQL index cannot be read; it has the form postgres://user:password@host:port/database?index=NAME.")]
    [InlineData("postgres://h/x?index=Birds", "'Birds' cannot be the name of an index in PostgreSQL; use up to 40 small letters, digits and '_'.")]
    [InlineData("Host=h;Index=a-b", "'a-b' cannot be the name of an index in PostgreSQL; use up to 40 small letters, digits and '_'.")]
    public void A_wrong_location_is_refused(string location, string message) =>
        Assert.Equal(message, Assert.Throws<FlamingoException>(() => IndexLocation.Store(location, Maker)).Message);
}
