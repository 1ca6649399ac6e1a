using FlamingoSharp.Retrieval;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Tests.Retrieval;

/// <summary>The contract on the store in a file, and what only files can be.</summary>
public sealed class SqliteSoundStoreTests : SoundStoreTests, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flamingo-index-").FullName;

    private protected override SoundStore Store(string name, EncoderIdentity? encoder) => new SqliteSoundStore(File(name), encoder);

    private string File(string name) => Path.Combine(_folder, name + ".db");

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<string> MadeAsync()
    {
        string path = File("made");
        using var store = new SqliteSoundStore(path, Maker);
        await store.EnsureCollectionExistsAsync();
        await store.UpsertAsync(Enumerable.Range(0, 100).Select(i => Sound(i)));
        return path;
    }

    private static async Task<string> RefusalAsync(string path, bool make = false)
    {
        using var store = new SqliteSoundStore(path, Maker);
        var error = await Assert.ThrowsAsync<FlamingoException>(async () =>
        {
            await (make ? store.EnsureCollectionExistsAsync() : store.OpenAsync());
            await store.SearchAsync(Sound(0).Embedding, 3).ToListAsync();
            await store.ScanAsync(vectors: true).ToListAsync();
        });
        Assert.Equal(FlamingoErrorKind.Input, error.Kind);
        return error.Message;
    }

    [Fact]
    public async Task At_rest_an_index_is_one_file()
    {
        string path = await MadeAsync();
        Assert.Equal([path], Directory.GetFiles(_folder));
        using var reader = new SqliteSoundStore(path, readOnly: true);
        await reader.OpenAsync();
        Assert.Equal(100, await reader.CountAsync());
        Assert.Equal([path], Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task What_is_no_index_is_refused_and_left_as_it_is()
    {
        Assert.Equal($"There is no index '{File("none")}'. 'flamingo index build DIR --out {File("none")}' makes one.", await RefusalAsync(File("none")));
        Assert.False(System.IO.File.Exists(File("none")));
        Assert.Equal($"'{_folder}' is a folder, not an index of sounds.", await RefusalAsync(_folder));

        string text = File("text");
        await System.IO.File.WriteAllTextAsync(text, "not a database, but long enough to be looked at as one: " + new string('x', 5000));
        foreach (bool make in new[] { false, true })
            Assert.Equal($"'{text}' is not an index of sounds. Name one that 'flamingo index build' made.", await RefusalAsync(text, make));
        Assert.StartsWith("not a database", await System.IO.File.ReadAllTextAsync(text), StringComparison.Ordinal);

        string foreign = File("foreign");
        using (var other = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={foreign};Pooling=False"))
        {
            other.Open();
            using var command = other.CreateCommand();
            command.CommandText = "CREATE TABLE sounds (x)";
            command.ExecuteNonQuery();
        }
        byte[] before = await System.IO.File.ReadAllBytesAsync(foreign);
        foreach (bool make in new[] { false, true })
            Assert.Equal($"'{foreign}' is not an index of sounds. Name one that 'flamingo index build' made.", await RefusalAsync(foreign, make));
        Assert.Equal(before, await System.IO.File.ReadAllBytesAsync(foreign));
    }

    [Fact]
    public async Task A_damaged_index_is_said_to_be_one()
    {
        string path = await MadeAsync();
        byte[] whole = await System.IO.File.ReadAllBytesAsync(path);
        await System.IO.File.WriteAllBytesAsync(path, whole[..(whole.Length / 2)]);
        Assert.Equal($"The index '{path}' is damaged (SQLite Error 11: 'database disk image is malformed'.). Restore it from a copy, or build it anew.", await RefusalAsync(path));

        byte[] torn = [.. whole];
        for (int at = 32768; at < torn.Length; at += 4096)
            Array.Fill(torn, (byte)0xA5, at, 64);
        await System.IO.File.WriteAllBytesAsync(path, torn);
        Assert.StartsWith($"The index '{path}' is damaged", await RefusalAsync(path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_vector_of_the_wrong_size_is_noticed()
    {
        string path = await MadeAsync();
        Change(path, "UPDATE vectors SET vector = x'0000' WHERE number = 7");
        Assert.Equal($"The index '{path}' is damaged: the vector of its sound 7 has 2 bytes instead of 128. Build it anew.", await RefusalAsync(path));
    }

    [Fact]
    public async Task An_index_of_a_later_version_is_not_touched()
    {
        string path = await MadeAsync();
        Change(path, "PRAGMA user_version = 9");
        Assert.Equal($"The index '{path}' has version 9, but this program reads version 1. Use the program that made it, or build it anew.", await RefusalAsync(path));
    }

    [Fact]
    public async Task A_file_that_was_cut_off_before_its_first_write_is_begun_again()
    {
        await System.IO.File.WriteAllBytesAsync(File("empty"), []);
        using var store = new SqliteSoundStore(File("empty"), Maker);
        await store.EnsureCollectionExistsAsync();
        await store.UpsertAsync(Sound(1));
        Assert.Equal(1, await store.CountAsync());
    }

    [Fact]
    public async Task A_vector_costs_little_more_than_its_numbers()
    {
        string path = File("size");
        var maker = Maker with { Dimension = 512 };
        using (var store = new SqliteSoundStore(path, maker))
        {
            await store.EnsureCollectionExistsAsync();
            await store.UpsertAsync(Enumerable.Range(0, 1000).Select(i => Sound(i, "label") with { Embedding = FakeFloats(i) }));
        }
        Assert.InRange(new FileInfo(path).Length, 1000 * 2048, 1000 * 2048 * 1.3);

        static float[] FakeFloats(int seed) => FakeEmbedder.Vector(seed, 512);
    }

    private static void Change(string path, string sql)
    {
        using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
