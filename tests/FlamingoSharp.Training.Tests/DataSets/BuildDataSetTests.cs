using FlamingoSharp.Training.Data;
using FlamingoSharp.Training.DataSets;

namespace FlamingoSharp.Training.Tests.DataSets;

public sealed class BuildDataSetTests : IDisposable
{
    private readonly SetFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static IEnumerable<Example> ExamplesOf(DataSet set, string split, string task = "SoundClassification") =>
        set.Of(split).Where(m => m.Task.EndsWith("-" + task, StringComparison.Ordinal)).SelectMany(m => set.Read(m).Items).Select(i => i.Value.Examples[0]);

    [Fact]
    public void A_folder_of_class_folders_becomes_a_classification_with_every_class_in_every_split()
    {
        var built = _folder.Build(_folder.Classes(20, "dog", "door_bell", "rain"));
        var set = DataSet.Open(_folder.Out);
        Assert.Empty(built.LeftOut);
        Assert.Empty(built.Notes);
        Assert.Equal("sounds", set.Name);
        Assert.Equal(["dog", "door bell", "rain"], set.Labels);
        Assert.Equal(["train", "val", "test"], set.Splits);
        Assert.Equal([(42, 3), (9, 3), (9, 3)], set.Splits.Select(s => (ExamplesOf(set, s).Count(), ExamplesOf(set, s).Select(e => e.Output).Distinct().Count())));
        Assert.Equal(60, set.Splits.SelectMany(s => ExamplesOf(set, s)).Select(e => e.Name).Distinct().Count());

        var bell = ExamplesOf(set, "train").First(e => e.Output == "door bell");
        Assert.Equal("Classify this sound.\nOPTIONS:\n - dog.\n - door bell.\n - rain.", bell.Prompt);
        Assert.Equal(set.Labels, bell.Choices);
        Assert.Equal(["door bell"], bell.Labels);
        Assert.StartsWith(Path.Combine(_folder.Root, "sounds", "door_bell"), set.SoundPath(bell.Name), StringComparison.Ordinal);
        Assert.True(File.Exists(set.SoundPath(bell.Name)));
    }

    [Fact]
    public void The_same_sounds_give_the_same_files_and_another_seed_other_splits()
    {
        string source = _folder.Classes(8, "a", "b");
        _folder.Build(source);
        string train = Path.Combine(_folder.Out, "sounds-SoundClassification", "train.json"), set = Path.Combine(_folder.Out, "set.json");
        var first = (File.ReadAllText(train), File.ReadAllText(set));
        _folder.Build(source);
        Assert.Equal(first, (File.ReadAllText(train), File.ReadAllText(set)));
        _folder.Build(source, new() { Seed = 1 });
        Assert.NotEqual(first.Item1, File.ReadAllText(train));
    }

    [Fact]
    public void Splits_follow_the_content_and_not_the_names()
    {
        string source = _folder.Classes(8, "a", "b");
        HashSet<string> Hashes(DataSet set) => [.. ExamplesOf(set, "test").Select(e => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(set.SoundPath(e.Name)))))];
        var before = Hashes(_folder.Build(source).Set);
        foreach (string file in Directory.GetFiles(source, "*", SearchOption.AllDirectories))
            File.Move(file, Path.Combine(Path.GetDirectoryName(file)!, $"x{file.GetHashCode(StringComparison.Ordinal)}.wav"));
        Assert.Equal(before, Hashes(_folder.Build(source).Set));
    }

    [Fact]
    public void Copies_of_a_sound_stay_in_one_split()
    {
        string source = _folder.Classes(10, "a", "b");
        byte[] copied = File.ReadAllBytes(_folder.PathOf("sounds/a/00.wav"));
        for (int i = 0; i < 5; i++)
            File.WriteAllBytes(_folder.PathOf($"sounds/a/copy{i}.wav"), copied);
        _folder.Tone("sounds/b/loud.wav", 0.2, 432.1);
        byte[] louder = File.ReadAllBytes(_folder.PathOf("sounds/b/loud.wav"));
        for (int i = 44; i < louder.Length; i += 2)
            BitConverter.TryWriteBytes(louder.AsSpan(i), (short)(BitConverter.ToInt16(louder, i) / 2)); // the same at half the level
        File.WriteAllBytes(_folder.PathOf("sounds/b/quiet.wav"), louder);

        var set = _folder.Build(source).Set;
        var splitOf = set.Splits.SelectMany(s => ExamplesOf(set, s).Select(e => (Path.GetFileName(e.Name), Path.GetFileName(Path.GetDirectoryName(e.Name)), s))).ToList();
        Assert.Single(splitOf.Where(s => s.Item2 == "a" && (s.Item1.StartsWith("copy", StringComparison.Ordinal) || s.Item1 == "00.wav")).Select(s => s.s).Distinct());
        Assert.Single(splitOf.Where(s => s.Item1 is "loud.wav" or "quiet.wav").Select(s => s.s).Distinct());
    }

    [Fact]
    public void Folders_of_splits_keep_their_splits()
    {
        _folder.Tones("sounds/train/a/1.wav", "sounds/train/b/1.wav", "sounds/valid/a/2.wav", "sounds/valid/b/2.wav", "sounds/test/a/3.wav", "sounds/test/b/3.wav");
        var set = _folder.Build(_folder.PathOf("sounds")).Set;
        Assert.Equal(["a/2.wav", "b/2.wav"], ExamplesOf(set, "val").Select(e => Path.GetRelativePath(_folder.PathOf("sounds/valid"), e.Name)));
    }

    [Fact]
    public void Captions_beside_the_sounds_become_a_task_of_their_own()
    {
        string source = _folder.Classes(4, "a", "b");
        foreach (string sound in Directory.GetFiles(source, "*.wav", SearchOption.AllDirectories))
            File.WriteAllText(Path.ChangeExtension(sound, ".txt"), $"A tone called {Path.GetFileName(sound)}.\n");
        _folder.Text("sounds/captions.csv", "path,caption\na/00.wav,\"A low, soft tone.\"\n");
        var built = _folder.Build(source);
        Assert.Empty(built.LeftOut);
        var captions = built.Set.Splits.SelectMany(s => ExamplesOf(built.Set, s, "AudioCaptioning").Select(e => (s, e))).ToList();
        Assert.All(captions, c => Assert.Equal("Describe the sound in a sentence.", c.e.Prompt));
        var two = captions.Where(c => c.e.Name.EndsWith("a/00.wav", StringComparison.Ordinal)).ToList();
        Assert.All(two, c => Assert.Equal(["A tone called 00.wav.", "A low, soft tone."], c.e.References));
        Assert.Equal(two[0].s == "train" ? 2 : 1, two.Count);
    }

    [Fact]
    public void Broken_sounds_are_left_out_and_named()
    {
        string source = _folder.Classes(4, "a", "b");
        File.WriteAllBytes(Path.Combine(source, "a", "empty.wav"), []);
        File.WriteAllText(Path.Combine(source, "b", "text.wav"), "hello there");
        File.WriteAllBytes(Path.Combine(source, "b", "cut.wav"), File.ReadAllBytes(Path.Combine(source, "b", "00.wav"))[..20]);
        Directory.CreateDirectory(Path.Combine(source, "nothing"));
        var built = _folder.Build(source);
        Assert.Equal(
            [("nothing", "holds no sound files", false), ("empty.wav", "is empty: 0 bytes", true), ("text.wav", "holds text, not sound", true)],
            built.LeftOut.Take(3).Select(l => (Path.GetFileName(l.What), l.Reason, l.IsFault)));
        Assert.Equal("cut.wav", Path.GetFileName(built.LeftOut[3].What));
        Assert.Equal(4, built.LeftOut.Count);
        Assert.Equal(8, built.Set.Manifests.Sum(m => m.Count));
    }

    [Fact]
    public void A_class_with_too_few_sounds_is_for_training_and_said()
    {
        _folder.Classes(6, "a", "b");
        _folder.Tones("sounds/rare/1.wav", "sounds/rare/2.wav");
        var built = _folder.Build(_folder.PathOf("sounds"));
        Assert.Equal(2, ExamplesOf(built.Set, "train").Count(e => e.Output == "rare"));
        Assert.Equal(
            ["The split 'val' of sounds-SoundClassification has no sound of 'rare': too few sounds, or too many that are nearly the same.",
             "The split 'test' of sounds-SoundClassification has no sound of 'rare': too few sounds, or too many that are nearly the same."],
            built.Notes);
    }

    [Fact]
    public void A_folder_without_classes_is_refused_and_nothing_is_left()
    {
        Directory.CreateDirectory(_folder.PathOf("sounds"));
        var e = Assert.Throws<FlamingoException>(() => _folder.Build(_folder.PathOf("sounds")));
        Assert.Equal($"'{_folder.PathOf("sounds")}' holds no class folders: expected a folder of sound files for each class, e.g. '{_folder.PathOf("sounds/dog/1.wav")}'.", e.Message);
        Assert.False(Directory.Exists(_folder.Out));
    }

    [Fact]
    public void A_folder_with_other_files_is_not_written_into()
    {
        _folder.Text("set/letter.txt", "dear");
        var e = Assert.Throws<FlamingoException>(() => _folder.Build(_folder.Classes(3, "a", "b")));
        Assert.Equal($"'{_folder.Out}' holds other files and no data set; name a new folder, so that nothing of yours is mixed with it.", e.Message);
        Assert.Equal(["letter.txt"], Directory.GetFileSystemEntries(_folder.Out).Select(Path.GetFileName));
    }

    [Fact]
    public void A_set_made_beside_the_classes_is_not_taken_for_one()
    {
        string source = _folder.Classes(3, "a", "b"), inside = Path.Combine(source, "set");
        for (int run = 0; run < 2; run++)
        {
            var built = BuildDataSet.From(source, new() { OutputFolder = inside }, cancellation: TestContext.Current.CancellationToken);
            Assert.Empty(built.LeftOut);
            Assert.Equal(["a", "b"], built.Set.Labels);
        }
    }

    [Fact]
    public void A_build_that_fails_leaves_the_set_that_was_there()
    {
        _folder.Build(_folder.Classes(3, "a", "b"));
        string[] before = [.. Directory.GetFiles(_folder.Out, "*", SearchOption.AllDirectories).Select(File.ReadAllText)];
        Assert.Throws<FlamingoException>(() => _folder.Build(_folder.PathOf("nowhere")));
        Assert.Equal(before, Directory.GetFiles(_folder.Out, "*", SearchOption.AllDirectories).Select(File.ReadAllText));
    }

    [Fact]
    public void A_data_set_whose_making_was_stopped_is_refused()
    {
        _folder.Build(_folder.Classes(3, "a", "b"));
        string file = Path.Combine(_folder.Out, "set.json");
        File.WriteAllText(file, File.ReadAllText(file).Replace("\"complete\": true", "\"complete\": false", StringComparison.Ordinal));
        Assert.Equal($"The data set '{_folder.Out}' was not finished; run 'flamingo data build' again.",
            Assert.Throws<FlamingoException>(() => DataSet.Open(_folder.Out)).Message);
        Assert.Equal(6, _folder.Build(_folder.PathOf("sounds")).Set.Manifests.Sum(m => m.Count));
    }

    [Fact]
    public void A_set_can_be_moved_with_the_sounds_in_it()
    {
        _folder.Build(_folder.Classes(3, "a", "b"));
        Directory.Move(_folder.PathOf("sounds"), Path.Combine(_folder.Out, "audio"));
        _folder.Text("clips.csv", string.Concat(Directory.GetFiles(Path.Combine(_folder.Out, "audio"), "*.wav", SearchOption.AllDirectories)
            .Select(f => $"{f},{Path.GetFileName(Path.GetDirectoryName(f))}\n").Prepend("path,label\n")));
        var built = _folder.Build(_folder.PathOf("clips.csv"));
        Assert.All(built.Set.Splits.SelectMany(s => ExamplesOf(built.Set, s)), e => Assert.StartsWith("audio/", e.Name, StringComparison.Ordinal));
        Directory.Move(_folder.Out, _folder.PathOf("moved"));
        var moved = DataSet.Open(_folder.PathOf("moved"));
        Assert.All(moved.Splits.SelectMany(s => ExamplesOf(moved, s)), e => Assert.True(File.Exists(moved.SoundPath(e.Name))));
    }

    [Fact]
    public void A_mixture_reads_the_set_as_it_reads_the_reference_s_manifests()
    {
        var set = _folder.Build(_folder.Classes(5, "a", "b")).Set;
        var blend = new Blend(set.Entries("train"), 1, set.Folder, set.Source);
        var sample = new SampleComposer(blend.Entries).Training(blend.Epoch(0)[0], new NumpyGenerator(0));
        Assert.Equal(ExamplesOf(set, "train").Count(), blend.Epoch(0).Count);
        Assert.Matches("""\A</s>The task is sound classification\. <audio>classify this sound\.\noptions:\n - a\.\n - b\.\nAnswer:<SEP>[ab]<\|endofchunk\|></s>\z""",
            sample.Prompt.ToText(FlamingoSharp.Text.Tokenizer.Load(Path.Combine(TestKit.ReferenceSet.RepositoryRoot, "models", "flamingo-mini")).Special));
    }
}
