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
        var (set, written) = InterleaveDataSet.Run(built, new() { Shots = 2, Embed = Embed, Splits = ["train", "test"] });
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
            [new PreviewPiece("</s></s>The task is sound classification. <audio>classify this sound.\noptions:\n - a.\n - b.\nAnswer:<SEP>", false), new PreviewPiece($"{label}<|endofchunk|></s>", true)],
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
