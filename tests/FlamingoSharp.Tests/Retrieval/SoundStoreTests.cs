using FlamingoSharp.Retrieval;
using FlamingoSharp.TestKit;
using Microsoft.Extensions.VectorData;

namespace FlamingoSharp.Tests.Retrieval;

/// <summary>What every store does alike: the same tests run on each.</summary>
public abstract class SoundStoreTests
{
    private const int Dimension = 32;

    private protected static EncoderIdentity Maker { get; } = new("fake", "00112233445566778899aabbccddeeff", Dimension);

    /// <summary>The store under test, empty or as the same name left it.</summary>
    private protected abstract SoundStore Store(string name, EncoderIdentity? encoder);

    /// <summary>Whether what one instance wrote is there for another.</summary>
    protected virtual bool Lasts => true;

    private protected static IndexedSound Sound(int i, params string[] labels) => new()
    {
        Id = $"id{i}",
        Hash = $"hash{i}",
        Path = $"folder/{i} ünïcode'\".wav",
        Labels = labels,
        Caption = i % 2 == 0 ? null : $"caption, of \"{i}\"",
        StartSeconds = i * 0.25,
        DurationSeconds = i % 3 == 0 ? null : 1.5,
        Embedding = FakeEmbedder.Vector(i, Dimension).Select(x => 3 * x).ToArray(),
    };

    private async Task<SoundStore> NewAsync(string? name = null)
    {
        var store = Store(name ?? $"t{Guid.NewGuid():N}", Maker);
        await store.EnsureCollectionExistsAsync();
        return store;
    }

    [Fact]
    public async Task Gives_back_what_was_put_in()
    {
        using var store = await NewAsync();
        await store.UpsertAsync([Sound(1, "a", "b, c"), Sound(2), Sound(3, "ß")]);
        foreach (var expected in new[] { Sound(1, "a", "b, c"), Sound(2), Sound(3, "ß") })
        {
            var found = (await store.GetAsync(expected.Id, new RecordRetrievalOptions { IncludeVectors = true }))!;
            Assert.Equal((expected.Path, expected.Hash, expected.Caption, expected.StartSeconds, expected.DurationSeconds),
                (found.Path, found.Hash, found.Caption, found.StartSeconds, found.DurationSeconds));
            Assert.Equal(expected.Labels, found.Labels);
            float length = MathF.Sqrt(expected.Embedding.ToArray().Sum(x => x * x));
            Assert.Equal(expected.Embedding.ToArray().Select(x => x / length), found.Embedding.ToArray(), (a, b) => Math.Abs(a - b) < 1e-6);
            Assert.Equal(0, (await store.GetAsync(expected.Id))!.Embedding.Length);
        }
        Assert.Null(await store.GetAsync("nothing"));
        Assert.Equal(3, await store.CountAsync());
        Assert.Equal(["id3", "id1"], await store.GetAsync(["id3", "id9", "id1"]).Select(s => s.Id).ToListAsync());
        Assert.Equal(["id1", "id2", "id3"], await store.ScanAsync().Select(s => s.Id).ToListAsync());
        Assert.Equal(["id2"], await store.GetAsync(s => s.Labels.Count == 0, 5).Select(s => s.Id).ToListAsync());
        Assert.Equal(["id2", "id3"], await store.GetAsync(s => true, 5, new() { Skip = 1 }).Select(s => s.Id).ToListAsync());
    }

    [Fact]
    public async Task Finds_the_nearest_by_cosine()
    {
        using var store = await NewAsync();
        await store.UpsertAsync(Enumerable.Range(0, 300).Select(i => Sound(i, $"l{i % 7}")));
        for (int q = 1000; q < 1010; q++)
        {
            float[] query = FakeEmbedder.Vector(q, Dimension);
            var expected = Enumerable.Range(0, 300).Select(i => (Id: $"id{i}", Score: Cosine(query, FakeEmbedder.Vector(i, Dimension))))
                .OrderByDescending(s => s.Score).Take(10).ToList();
            var found = await store.SearchAsync(query, 10).ToListAsync();
            Assert.Equal(expected.Select(e => e.Id), found.Select(f => f.Record.Id));
            Assert.Equal(expected.Select(e => e.Score), found.Select(f => f.Score!.Value), (a, b) => Math.Abs(a - b) < 1e-5);
        }
        var filtered = await store.SearchAsync(FakeEmbedder.Vector(1000, Dimension), 4, new() { Filter = s => s.Labels[0] == "l3", Skip = 1, IncludeVectors = true }).ToListAsync();
        Assert.Equal(4, filtered.Count);
        Assert.All(filtered, f => Assert.Equal(("l3", Dimension), (f.Record.Labels[0], f.Record.Embedding.Length)));
        Assert.Equal(300, (await store.SearchAsync(FakeEmbedder.Vector(1, Dimension), 1000).ToListAsync()).Count);
        Assert.Single(await store.SearchAsync(FakeEmbedder.Vector(17, Dimension), 10, new() { ScoreThreshold = 0.999 }).ToListAsync());
    }

    [Fact]
    public async Task Replaces_and_removes()
    {
        using var store = await NewAsync();
        await store.UpsertAsync(Enumerable.Range(0, 5).Select(i => Sound(i)));
        Assert.Equal("id3", (await NearestAsync(FakeEmbedder.Vector(3, Dimension)))[0]);
        await store.UpsertAsync(Sound(3, "new") with { Embedding = FakeEmbedder.Vector(50, Dimension) });
        Assert.Equal(5, await store.CountAsync());
        Assert.Equal(["new"], (await store.GetAsync("id3"))!.Labels);
        Assert.Equal("id3", (await NearestAsync(FakeEmbedder.Vector(50, Dimension)))[0]);
        Assert.NotEqual("id3", (await NearestAsync(FakeEmbedder.Vector(3, Dimension)))[0]);
        await store.DeleteAsync(["id3", "id0", "nothing"]);
        Assert.Equal(3, await store.CountAsync());
        Assert.Equal(["id1", "id2", "id4"], (await NearestAsync(FakeEmbedder.Vector(50, Dimension))).Order());
        await store.UpsertAsync([Sound(7), Sound(7, "twice in one batch")]);
        Assert.Equal(["twice in one batch"], (await store.GetAsync("id7"))!.Labels);
        Assert.Equal(4, await store.CountAsync());

        async Task<List<string>> NearestAsync(float[] query) => await store.SearchAsync(query, 10).Select(r => r.Record.Id).ToListAsync();
    }

    [Fact]
    public async Task Writes_all_of_a_batch_or_nothing()
    {
        using var store = await NewAsync();
        await store.UpsertAsync(Sound(1));
        var wrong = await Assert.ThrowsAsync<FlamingoException>(() => store.UpsertAsync([Sound(2), Sound(3) with { Embedding = new float[] { 1, 2, 3 } }]));
        Assert.Equal($"The vector of '{Sound(3).Path}' has 3 dimensions, but the index '{store.Name}' holds vectors of 32, made by fake. Embed it with that encoder.", wrong.Message);
        Assert.Equal(1, await store.CountAsync());
        var zero = await Assert.ThrowsAsync<FlamingoException>(() => store.UpsertAsync(Sound(2) with { Embedding = new float[Dimension] }));
        Assert.Equal($"The vector of '{Sound(2).Path}' is 0, so it is like nothing; leave the sound out.", zero.Message);
        var asked = await Assert.ThrowsAsync<FlamingoException>(async () => await store.SearchAsync(new float[] { 1 }, 3).ToListAsync());
        Assert.Equal($"The vector asked for has 1 dimensions, but the index '{store.Name}' holds vectors of 32, made by fake. Embed it with that encoder.", asked.Message);
    }

    [Fact]
    public async Task Is_there_for_the_next_one_and_for_no_other_encoder()
    {
        Assert.SkipUnless(Lasts, "This store does not outlive its instance.");
        string name = $"t{Guid.NewGuid():N}";
        using (var store = await NewAsync(name))
        {
            Assert.True(await store.CollectionExistsAsync());
            await store.UpsertAsync(Enumerable.Range(0, 20).Select(i => Sound(i)));
        }
        using (var again = Store(name, null))
        {
            await again.OpenAsync();
            Assert.Equal(Maker, again.Encoder);
            Assert.Equal(20, await again.CountAsync());
            Assert.Equal("id11", (await again.SearchAsync(FakeEmbedder.Vector(11, Dimension), 1).ToListAsync())[0].Record.Id);
            Assert.True(await again.SizeAsync() > 0);
        }
        foreach (var other in new[] { Maker with { Name = "other" }, Maker with { WeightsHash = "ffff0000" }, Maker with { Dimension = 64 } })
        {
            using var foreign = Store(name, other);
            foreach (var open in new Func<Task>[] { () => foreign.OpenAsync(), () => foreign.EnsureCollectionExistsAsync() })
            {
                var error = await Assert.ThrowsAsync<FlamingoException>(open);
                Assert.Equal(FlamingoErrorKind.Model, error.Kind);
                Assert.Equal($"The index '{foreign.Name}' was made by the encoder {Maker}, but this one is {other}. Use the model that it was made with, or build the index anew.", error.Message);
            }
        }
        using (var last = Store(name, Maker))
        {
            await last.OpenAsync();
            await last.EnsureCollectionDeletedAsync();
            Assert.False(await last.CollectionExistsAsync());
        }
    }

    [Fact]
    public async Task Sees_what_another_instance_writes()
    {
        Assert.SkipUnless(Lasts, "This store is one instance.");
        string name = $"t{Guid.NewGuid():N}";
        using var writer = await NewAsync(name);
        using var reader = Store(name, Maker);
        await reader.OpenAsync();
        for (int i = 0; i < 5; i++)
        {
            await writer.UpsertAsync(Sound(i));
            Assert.Equal($"id{i}", (await reader.SearchAsync(FakeEmbedder.Vector(i, Dimension), 1).ToListAsync()).Single().Record.Id);
        }
        await writer.DeleteAsync("id2");
        Assert.Equal(4, (await reader.SearchAsync(FakeEmbedder.Vector(2, Dimension), 10).ToListAsync()).Count);
        await writer.UpsertAsync(Sound(1) with { Embedding = FakeEmbedder.Vector(77, Dimension) });
        Assert.Equal("id1", (await reader.SearchAsync(FakeEmbedder.Vector(77, Dimension), 1).ToListAsync()).Single().Record.Id);
    }

    [Fact]
    public async Task Many_ask_while_one_writes()
    {
        using var store = await NewAsync();
        await store.UpsertAsync(Sound(0));
        var writing = Task.Run(async () =>
        {
            for (int i = 1; i < 40; i++)
                await store.UpsertAsync(Sound(i));
        });
        var asking = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 20; i++)
                Assert.Equal("id0", (await store.SearchAsync(FakeEmbedder.Vector(0, Dimension), 1).ToListAsync()).Single().Record.Id);
        }));
        await Task.WhenAll(asking.Append(writing));
        Assert.Equal(40, await store.CountAsync());
    }

    private static double Cosine(float[] a, float[] b) =>
        a.Zip(b, (x, y) => (double)x * y).Sum() / Math.Sqrt(a.Sum(x => (double)x * x) * b.Sum(x => (double)x * x));
}

/// <summary>The contract on the store in memory.</summary>
public sealed class MemorySoundStoreTests : SoundStoreTests
{
    /// <inheritdoc/>
    protected override bool Lasts => false;

    private protected override SoundStore Store(string name, EncoderIdentity? encoder) => new MemorySoundStore(encoder ?? Maker, name);
}
