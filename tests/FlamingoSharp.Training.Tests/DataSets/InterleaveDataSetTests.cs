using System.Numerics.Tensors;
using FlamingoSharp.Retrieval;
using FlamingoSharp.TestKit;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Data;
using FlamingoSharp.Training.DataSets;

namespace FlamingoSharp.Training.Tests.DataSets;

public sealed class InterleaveDataSetTests : IDisposable
{
    private readonly SetFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private DataSet Build() => _folder.Build(_folder.Classes(6, "a", "b")).Set;

    private static IReadOnlyList<DatasetItem> ItemsOf(DataSet set, string name) => [.. set.Read(set.Manifests.Single(m => m.Name == name)).Items.Select(i => i.Value)];

    [Fact]
    public void Random_shots_are_distinct_and_never_the_sound_in_question()
    {
        var (set, written) = InterleaveDataSet.Run(Build(), new() { Shots = 3 });
        Assert.Equal(["sounds-SoundClassification/interleaved_random-train", "sounds-SoundClassification/interleaved_random-val", "sounds-SoundClassification/interleaved_random-test"], written.Select(m => m.Name));
        Assert.Equal([3, 3, 3], set.Manifests.Where(m => m.Shots > 0).Select(m => m.Shots));
        string[] train = [.. ItemsOf(set, "sounds-SoundClassification/train").Select(i => i.Examples[0].Name)];
        Assert.All(written.SelectMany(m => ItemsOf(set, m.Name)), item =>
        {
            Assert.Equal(ShotChoice.Random, item.Choice);
            Assert.Equal(4, item.Examples.Select(e => e.Name).Distinct().Count());
            Assert.All(item.Examples.SkipLast(1), shot => Assert.Contains(shot.Name, train));
        });
        Assert.Equal(ItemsOf(set, "sounds-SoundClassification/test").Select(i => i.Examples[0].Name), ItemsOf(set, written[2].Name).Select(i => i.Examples[^1].Name));
    }

    [Fact]
    public void The_same_seed_draws_the_same_shots()
    {
        var set = Build();
        string file = ManifestWriter.PathOf(set.Folder, InterleaveDataSet.Run(set, new()).Written[0].Name);
        string first = File.ReadAllText(file);
        InterleaveDataSet.Run(DataSet.Open(set.Folder), new());
        Assert.Equal(first, File.ReadAllText(file));
        Assert.Equal(6, InterleaveDataSet.Run(DataSet.Open(set.Folder), new() { Seed = 1 }).Set.Manifests.Count);
        Assert.NotEqual(first, File.ReadAllText(file));
    }

    [Fact]
    public void Neighbours_are_those_whose_embeddings_are_nearest()
    {
        var built = Build();
        // Numbers on a line: a's sounds around 0, b's around 100.
        float[] Embed(string path) => [(path.Contains("/a/", StringComparison.Ordinal) ? 0 : 100) + float.Parse(Path.GetFileNameWithoutExtension(path), System.Globalization.CultureInfo.InvariantCulture)];
        var (set, written) = InterleaveDataSet.Run(built, new() { Shots = 2, Embed = sound => Embed(sound.Path), Splits = ["train", "test"] });
        Assert.Equal(["sounds-SoundClassification/interleaved_knn-train", "sounds-SoundClassification/interleaved_knn-test"], written.Select(m => m.Name));
        string[] train = [.. ItemsOf(set, "sounds-SoundClassification/train").Select(i => set.SoundPath(i.Examples[0].Name))];
        Assert.All(written.SelectMany(m => ItemsOf(set, m.Name)), item =>
        {
            Assert.Equal(ShotChoice.Similar, item.Choice);
            string asked = set.SoundPath(item.Examples[^1].Name);
            float[] nearest = [.. train.Where(t => t != asked).Select(t => Math.Abs(Embed(t)[0] - Embed(asked)[0])).Order().Take(2)];
            Assert.Equal(nearest, item.Examples.SkipLast(1).Select(e => Math.Abs(Embed(set.SoundPath(e.Name))[0] - Embed(asked)[0])).Order());
        });
    }

    [Fact]
    public async Task Neighbours_by_the_clap_model_in_the_box_are_kept_in_an_index_and_read_from_it_the_next_time()
    {
        foreach (var (label, samples) in new[] { ("guitar", new[] { "guitar-a-minor", "guitar-em9", "tabla-loop" }), ("water", ["rain", "thunder", "crowd-cheering"]) })
        {
            Directory.CreateDirectory(Path.Combine(_folder.Root, "sounds", label));
            foreach (string sample in samples)
                File.Copy(Path.Combine(ReferenceSet.RepositoryRoot, "samples", sample + ".wav"), Path.Combine(_folder.Root, "sounds", label, sample + ".wav"));
        }
        var set = _folder.Build(Path.Combine(_folder.Root, "sounds"), new() { Validation = 0, Test = 0 }).Set;
        var options = new InterleaveOptions { Shots = 1, Splits = ["train"] };
        var sounds = InterleaveDataSet.SoundsOf(set, options);
        Assert.Equal(6, sounds.Count);
        using var embedder = SoundEmbedder.Load(Path.Combine(ReferenceSet.RepositoryRoot, "models", "clap-mini"));
        using var index = await SoundIndex.CreateAsync(Path.Combine(_folder.Root, "sounds.db"), embedder, TestContext.Current.CancellationToken);
        var embed = await IndexedVectors.ReadAsync(index, sounds, cancellation: TestContext.Current.CancellationToken);
        var written = InterleaveDataSet.Run(set, options with { Embed = embed });
        Assert.All(ItemsOf(written.Set, "sounds-SoundClassification/interleaved_knn-train"), item =>
        {
            string asked = set.SoundPath(item.Examples[1].Name), shown = set.SoundPath(item.Examples[0].Name);
            float Likeness(SoundEntry sound) => TensorPrimitives.Dot(embed(new(asked)), embed(sound));
            Assert.Equal(sounds.Where(s => s.Path != asked).MaxBy(Likeness)!.Path, shown);
        });

        long before = await index.Store.CountAsync(TestContext.Current.CancellationToken);
        Assert.Equal(sounds.Count, before);
        int added = -1;
        var again = await IndexedVectors.ReadAsync(index, sounds, new Told<IngestProgress>(p => added = p.Added), TestContext.Current.CancellationToken);
        Assert.Equal((0, before), (added, await index.Store.CountAsync(TestContext.Current.CancellationToken)));
        Assert.All(sounds, s => Assert.Equal(embed(s), again(s)));

        File.WriteAllText(sounds[0].Path, "no sound any more");
        var error = await Assert.ThrowsAsync<FlamingoException>(() => IndexedVectors.ReadAsync(index, sounds, cancellation: TestContext.Current.CancellationToken));
        Assert.StartsWith($"1 of {sounds.Count} sounds cannot be compared with others: '{sounds[0].Path}' ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith(" 'flamingo data validate' lists all.", error.Message, StringComparison.Ordinal);
    }

    private sealed class Told<T>(Action<T> tell) : IProgress<T>
    {
        public void Report(T value) => tell(value);
    }

    [Fact]
    public void Too_many_shots_are_refused_and_nothing_is_written()
    {
        var set = Build();
        Assert.Equal("sounds-SoundClassification/interleaved_random-train: the training split has 7 other recordings to show before item 0, but 8 shots were asked for; ask for fewer.",
            Assert.Throws<FlamingoException>(() => InterleaveDataSet.Run(set, new() { Shots = 8 })).Message);
        Assert.Equal(3, DataSet.Open(set.Folder).Manifests.Count);
        Assert.Equal(3, Directory.GetFiles(Path.Combine(set.Folder, "sounds-SoundClassification")).Length);
    }

    [Fact]
    public void Previews_show_shots_and_what_is_learnt()
    {
        var (set, _) = InterleaveDataSet.Run(Build(), new() { Shots = 1, Splits = ["test"] });
        var mini = Tokenizer.Load(Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini"));
        var samples = DataSetPreview.Draw(set, mini, count: 1, split: "test").ToList();
        Assert.Equal(["sounds-SoundClassification/test", "sounds-SoundClassification/interleaved_random-test"], samples.Select(s => s.Manifest));

        var plain = samples[0];
        string label = plain.Pieces[^1].Text[..1];
        Assert.Equal(
            [new PreviewPiece("</s></s>the task is sound classification.<audio>classify this sound.\noptions:\n - a.\n - b.\nanswer:<SEP>", false), new PreviewPiece($"{label}<|endofchunk|></s>", true)],
            plain.Pieces);
        Assert.Contains($"/{label}/", plain.Sounds.Single().Path, StringComparison.Ordinal);
        Assert.Equal((3, 0), (plain.TokensLearnt, plain.TokensCut));

        var shown = samples[1];
        Assert.Equal([false, true, false, true], shown.Pieces.Select(p => p.IsLearnt));
        Assert.StartsWith("</s></s>Here are random examples. The task is sound classification. <audio>", shown.Pieces[0].Text, StringComparison.Ordinal);
        Assert.EndsWith("<|endofchunk|>", shown.Pieces[1].Text, StringComparison.Ordinal);
        Assert.Equal(2, shown.Sounds.Count);
    }
}
