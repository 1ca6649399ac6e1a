using FlamingoSharp.Retrieval;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Tests.Retrieval;

/// <summary>Filling an index and asking it.</summary>
public sealed class SoundIndexTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flamingo-index-").FullName;
    private readonly FakeEmbedder _embedder = new();

    private string Database => Path.Combine(_folder, "index.db");

    /// <inheritdoc/>
    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        _embedder.Dispose();
    }

    // Three classes of six sounds; those of a class are much alike.
    private string Sounds(int perClass = 6)
    {
        string root = Path.Combine(_folder, "sounds");
        foreach (var (label, number) in new[] { ("bell", 1), ("car_horn", 2), ("dog", 3) })
        {
            for (int i = 0; i < perClass; i++)
                SmallWaves.Write(Path.Combine(root, label, $"{i}.wav"), (1000 * number) + i, number);
        }
        return root;
    }

    [Fact]
    public async Task Class_folders_become_labels_and_neighbours_share_them()
    {
        string root = Sounds();
        using var index = await SoundIndex.CreateAsync(Database, _embedder);
        var told = new List<IngestProgress>();
        var result = await index.AddAsync(SoundFolders.Find(root), new() { BatchSize = 5 }, new Told(told));
        Assert.Equal((18, 0, 0), (result.Added, result.Known, result.Failures.Count));
        Assert.Equal([5, 10, 15, 18], told.Select(t => t.Done));
        Assert.Equal(new IngestProgress(18, 18, 18), told[^1]);

        var matches = await index.QueryAsync(Path.Combine(root, "car_horn", "2.wav"));
        Assert.Equal(5, matches.Count);
        Assert.All(matches, m => Assert.Equal(["car horn"], m.Sound.Labels));
        Assert.DoesNotContain(matches, m => m.Sound.Path.EndsWith("car_horn/2.wav", StringComparison.Ordinal));
        Assert.Equal(matches.OrderByDescending(m => m.Similarity), matches);
        var vote = LabelVote.Count(matches, ["Dog", "Car horn"]);
        Assert.Equal(("Car horn", 5), (vote[0].Label, vote[0].Votes));

        var report = await RetrievalEvaluation.RunAsync(index.Store);
        Assert.Equal((18, 18, 1.0, 1.0), (report.Sounds, report.Queries, report.RecallAt[1], report.VoteAccuracy));
        Assert.Equal(1.0, report.MeanAveragePrecision, 6);
        Assert.Equal(["bell", "car horn", "dog"], report.Labels.Select(l => l.Label));
    }

    [Fact]
    public async Task A_second_run_adds_nothing_and_embeds_nothing()
    {
        string root = Sounds();
        using var index = await SoundIndex.CreateAsync(Database, _embedder);
        await index.AddAsync(SoundFolders.Find(root));
        File.Copy(Path.Combine(root, "dog", "1.wav"), Path.Combine(root, "dog", "copy.wav"));
        SmallWaves.Write(Path.Combine(root, "cat", "0.wav"), 4000, 4);
        int before = _embedder.Embedded;
        var result = await index.AddAsync(SoundFolders.Find(root));
        Assert.Equal((1, 19, 19L), (result.Added, result.Known, await index.Store.CountAsync()));
        Assert.Equal(before + 1, _embedder.Embedded);
        Assert.Equal(6, await index.Store.RemoveAsync(s => s.Labels.Contains("dog")));
        Assert.Equal(13, await index.Store.CountAsync());
    }

    [Fact]
    public async Task Bad_files_are_listed_and_the_others_added()
    {
        string root = Sounds(2);
        await File.WriteAllTextAsync(Path.Combine(root, "dog", "text.wav"), "hello there, this is no sound");
        await File.WriteAllBytesAsync(Path.Combine(root, "dog", "empty.wav"), []);
        using var index = await SoundIndex.CreateAsync(Database, _embedder);
        var result = await index.AddAsync([.. SoundFolders.Find(root), new SoundEntry(Path.Combine(root, "gone.wav"))]);
        Assert.Equal((6, 0), (result.Added, result.Known));
        Assert.Equal(["empty.wav", "gone.wav", "text.wav"], result.Failures.Select(f => Path.GetFileName(f.Path)).Order());
        Assert.Contains(result.Failures, f => f.Reason == $"'{Path.Combine(root, "gone.wav")}' does not exist; check the path.");
    }

    [Fact]
    public async Task Parts_of_one_file_are_sounds_of_their_own()
    {
        string file = Path.Combine(_folder, "long.wav");
        SmallWaves.Write(file, 1, seconds: 2);
        using var index = await SoundIndex.CreateAsync(Database, _embedder);
        var parts = Enumerable.Range(0, 4).Select(i => new SoundEntry(file) { StartSeconds = i * 0.5, DurationSeconds = 0.5, Labels = [$"part {i}"] });
        Assert.Equal(4, (await index.AddAsync(parts)).Added);
        var exact = await index.QueryAsync(file, new() { Top = 1, Duplicates = true }, 1.0, 0.5);
        Assert.Equal((1.0, "part 2"), (exact[0].Sound.StartSeconds, exact[0].Sound.Labels[0]));
        Assert.Empty(await index.QueryAsync(file, startSeconds: 1.0, durationSeconds: 0.5)); // all of it is the file asked about
    }

    [Fact]
    public async Task The_sound_asked_about_and_its_near_duplicates_are_found_only_if_asked_for()
    {
        string root = Sounds(3);
        string asked = Path.Combine(root, "bell", "1.wav");
        byte[] bytes = await File.ReadAllBytesAsync(asked);
        await File.WriteAllBytesAsync(Path.Combine(root, "bell", "longer.wav"), [.. bytes, 0]); // other bytes, the same samples
        using var index = await SoundIndex.CreateAsync(Database, _embedder);
        await index.AddAsync(SoundFolders.Find(root));
        var usual = await index.QueryAsync(asked, new() { Top = 20 });
        Assert.Equal(8, usual.Count);
        Assert.DoesNotContain(usual, m => Path.GetFileName(m.Sound.Path) is "longer.wav" || m.Sound.Path == asked);
        var all = await index.QueryAsync(asked, new() { Top = 20, Duplicates = true });
        Assert.Equal(10, all.Count);
        Assert.Equal(1, all[0].Similarity, 5);
        Assert.Equal(1, all[1].Similarity, 5);
    }

    [Fact]
    public async Task Texts_find_sounds_where_the_encoder_reads_texts()
    {
        string root = Sounds();
        using var index = await SoundIndex.CreateAsync(Database, _embedder);
        await index.AddAsync(SoundFolders.Find(root));
        _embedder.Meanings["a dog barks"] = (await index.Embedder.EmbedAsync(Path.Combine(root, "dog", "3.wav"))).ToArray();
        var found = await index.SearchAsync("a dog barks", 3);
        Assert.All(found, m => Assert.Equal(["dog"], m.Sound.Labels));

        var empty = await Assert.ThrowsAsync<FlamingoException>(() => index.SearchAsync("  "));
        Assert.Equal("The text to search for is empty; say what is to be heard.", empty.Message);
        using var deaf = new FakeEmbedder(texts: false);
        using var other = await SoundIndex.OpenAsync(Database, deaf);
        var error = await Assert.ThrowsAsync<FlamingoException>(() => other.SearchAsync("dog"));
        Assert.Equal("The encoder fake hears sounds only; texts need one with a text side, such as a CLAP model.", error.Message);
    }

    [Fact]
    public async Task An_index_of_another_encoder_is_refused()
    {
        using (await SoundIndex.CreateAsync(Database, _embedder))
        {
        }
        using var other = new FakeEmbedder(name: "other");
        var error = await Assert.ThrowsAsync<FlamingoException>(() => SoundIndex.OpenAsync(Database, other));
        Assert.Equal(
            $"The index '{Database}' was made by the encoder fake (32 dimensions, weights 00112233), but this one is other (32 dimensions, weights 00112233). Use the model that it was made with, or build the index anew.",
            error.Message);
    }

    [Fact]
    public async Task A_cancelled_ingest_keeps_its_batches_and_goes_on_later()
    {
        string root = Sounds();
        using var index = await SoundIndex.CreateAsync(Database, _embedder);
        using var stop = new CancellationTokenSource();
        var stopping = new Told([], _ => stop.Cancel());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => index.AddAsync(SoundFolders.Find(root), new() { BatchSize = 4 }, stopping, stop.Token));
        long kept = await index.Store.CountAsync();
        Assert.Equal(0, kept % 4);
        Assert.InRange(kept, 4, 17);
        Assert.Equal(18 - kept, (await index.AddAsync(SoundFolders.Find(root))).Added);
    }

    [Fact]
    public async Task Evaluation_needs_two_sounds_of_a_label()
    {
        using var store = new MemorySoundStore(_embedder.Encoder);
        await store.UpsertAsync(new IndexedSound { Id = "a", Path = "a", Hash = "a", Labels = ["x"], Embedding = FakeEmbedder.Vector(1) });
        var error = await Assert.ThrowsAsync<FlamingoException>(() => RetrievalEvaluation.RunAsync(store));
        Assert.Equal("No two sounds of the index 'memory' have a label in common, so there is nothing to find. Build it from class folders or a manifest with labels.", error.Message);
    }

    [Fact]
    public async Task Recall_and_precision_are_those_of_a_hand_computation()
    {
        // On a circle, in degrees: a 0, b 10, a 25, b 45. From each the others in order of angle:
        // a0: b10 a25 b45 -> rank 2, AP 1/2. b10: a0 a25 b45 -> rank 3, AP 1/3. a25: b10 b45 a0 -> rank 3, 1/3. b45: a25 b10 a0 -> rank 2, 1/2.
        using var store = new MemorySoundStore(new EncoderIdentity("circle", "ab", 2));
        foreach (var (name, degrees) in new[] { ("a", 0), ("b", 10), ("a", 25), ("b", 45) })
        {
            float[] vector = [(float)Math.Cos(degrees * Math.PI / 180), (float)Math.Sin(degrees * Math.PI / 180)];
            await store.UpsertAsync(new IndexedSound { Id = $"{degrees}", Path = $"{degrees}", Hash = $"{degrees}", Labels = [name], Embedding = vector });
        }
        var report = await RetrievalEvaluation.RunAsync(store, [1, 2, 3], voters: 1);
        Assert.Equal([0, 0.5, 1], report.RecallAt.OrderBy(r => r.Key).Select(r => r.Value));
        Assert.Equal((0.5 + 1.0 / 3) / 2, report.MeanAveragePrecision, 9);
        Assert.Equal(0, report.VoteAccuracy);
    }

    private sealed class Told(List<IngestProgress> all, Action<IngestProgress>? also = null) : IProgress<IngestProgress>
    {
        public void Report(IngestProgress value)
        {
            all.Add(value);
            also?.Invoke(value);
        }
    }
}
