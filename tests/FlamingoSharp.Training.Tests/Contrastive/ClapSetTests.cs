using System.Text.Json.Nodes;
using FlamingoSharp.Embeddings;
using FlamingoSharp.TestKit;
using FlamingoSharp.Training.DataSets;
using FlamingoSharp.Training.Stages;
using FlamingoSharp.Training.Tests.DataSets;

namespace FlamingoSharp.Training.Tests.Contrastive;

/// <summary>From a data set to a CLAP model.</summary>
public sealed class ClapSetTests : IDisposable
{
    private readonly SetFolder _sounds = new();

    [Fact]
    public void Captions_tags_and_classes_of_a_sound_come_together_whichever_manifest_says_them()
    {
        _sounds.Tones("a.wav", "b.wav", "c.wav");
        string table = _sounds.Text("table.jsonl", """
            {"path": "a.wav", "caption": "A tone begins.", "split": "train"}
            {"path": "a.wav", "caption": "Something beeps.", "split": "train"}
            {"path": "a.wav", "labels": ["tone", "beep"], "split": "train"}
            {"path": "b.wav", "labels": ["tone"], "split": "train"}
            {"path": "c.wav", "question": "Is there a dog?", "answer": "no", "split": "train"}
            {"path": "c.wav", "caption": "A high tone.", "split": "val"}
            """);
        var set = _sounds.Build(table).Set;
        var sounds = ClapSetSounds.Of(set, "train", _ => throw new InvalidOperationException()).OrderBy(s => s.Path, StringComparer.Ordinal).ToList();
        Assert.Equal(["a.wav", "b.wav"], sounds.Select(s => Path.GetFileName(s.Path)));
        Assert.Equal(["A tone begins.", "Something beeps."], sounds[0].Captions.Order(StringComparer.Ordinal));
        Assert.Equal("tone|beep", string.Join('|', sounds[0].Labels));
        Assert.Equal("tone, beep|tone", string.Join('|', sounds[0].Names));
        Assert.Equal("tone, beep", sounds[0].Kind);
        Assert.Equal(("tone", 0), (sounds[1].Captions.Single(), sounds[1].Names.Count)); // the label stands for a caption
    }

    [Fact]
    public void A_model_of_any_encoder_learns_a_data_set_and_is_tried_on_its_held_out_sounds()
    {
        foreach (var (label, hertz) in new[] { ("low", 150), ("middle", 600), ("high", 2000) })
        {
            for (int i = 0; i < 8; i++)
                _sounds.Tone($"sounds/{label}/{i}.wav", 0.6 + 0.1 * (i % 4), hertz * (1 + 0.07 * i));
        }
        var set = _sounds.Build(_sounds.PathOf("sounds")).Set;
        var seen = new Seen();
        var outcome = Training(set.Folder, "run", 40).Run([seen], TestContext.Current.CancellationToken);
        Assert.Equal(40, outcome.Steps);
        Assert.True(seen.Losses.TakeLast(5).Average() < 0.8 * seen.Losses.Take(2).Average(), string.Join(' ', seen.Losses));
        var scores = seen.Validations[^1].Scores;
        Assert.True(scores["zero-shot"] >= 0.6, $"zero-shot {scores["zero-shot"]}"); // three classes of tones of their own pitch
        Assert.Equal(scores["zero-shot"], scores["sound to text R@1"], 1e-9);        // a class's label is its only text
        Assert.Equal(1, scores["sound to text R@10"], 1e-9);
        Assert.Equal(1, scores["text to sound R@10"], 1e-9);

        // What was tried is what the written model does.
        using var clap = ClapModel.Load(_sounds.PathOf("run"));
        Assert.Equal(("clap-sounds", TinyClap.Config.Audio.SampleRate), (clap.Config.Name, clap.Config.Audio.SampleRate));
        var zeroShot = new ZeroShot(clap, set.Labels);
        var held = ClapSetSounds.Of(set, "val", _ => throw new InvalidOperationException());
        double right = held.Average(s => zeroShot.Classify(s.Path, TestContext.Current.CancellationToken)[0].Label == s.Labels[0] ? 1.0 : 0);
        Assert.Equal(scores["zero-shot"], right, 1e-9);

        // Going on from it takes its form, and what it has learned.
        var further = new Seen();
        (Training(set.Folder, "further", 2) with { Config = null, StartFrom = _sounds.PathOf("run"), TokenizerFolder = _sounds.PathOf("run") }).Run([further], TestContext.Current.CancellationToken);
        Assert.True(further.Losses.Average() < seen.Losses.Take(2).Average());
    }

    [Fact]
    public void The_spectrograms_that_are_learned_are_those_that_the_model_in_use_hears()
    {
        _sounds.Tone("long.wav", 2.3, 440);
        using var clap = new TinyClap();
        using var model = ClapModel.Load(clap.Folder);
        using var towers = TinyClap.Config.Build();
        using var source = new SoundSource(towers.Audio, TinyClap.Config, cache: null);
        using var scope = TorchSharp.torch.NewDisposeScope();
        var heard = source.Hear(new SoundPart(_sounds.PathOf("long.wav")), TinyClap.Config.MaxWindows);
        var windows = new ClapWindows(FlamingoSharp.Audio.SoundFile.Load(_sounds.PathOf("long.wav"), model.Hearing()), TinyClap.Config);
        Assert.Equal((3, 3), (heard.Windows, windows.Count)); // the last one ends with the sound
        TensorAssert.Close(towers.Audio.LogMel(windows.ToTensor(0, 3)), TorchSharp.torch.tensor(heard.Values, heard.Shape), 1e-6, "mel");
    }

    [Fact]
    public void What_cannot_be_learned_is_said_before_the_first_step()
    {
        var set = _sounds.Build(_sounds.Classes(4, "low", "high")).Set;
        File.Delete(set.SoundPath(set.Read(set.Of("train")[0]).Items[0].Value.Examples[0].Name));
        var missing = Assert.Throws<FlamingoException>(() => Training(set.Folder, "run", 1).Run([], TestContext.Current.CancellationToken));
        Assert.Matches("^'sounds' refers to the sound '/.*\\.wav', which does not exist\\. 'flamingo data validate' lists every such file\\.$", missing.Message);

        var both = Assert.Throws<FlamingoException>(() => (Training(set.Folder, "run", 1) with { CatalogueFolder = "a", MelFolder = "b" }).Run([], TestContext.Current.CancellationToken));
        Assert.Equal("A CLAP model learns either from a data set or from a catalogue with its spectrograms: give one of the two.", both.Message);

        string json = Path.Combine(set.Folder, DataSet.FileName);
        var content = JsonNode.Parse(File.ReadAllText(json))!;
        foreach (var (_, task) in content["tasks"]!.AsObject())
            task!["kind"] = "questions";
        File.WriteAllText(json, content.ToJsonString());
        var nothing = Assert.Throws<FlamingoException>(() => ClapTraining.DefaultTraining("run", set.Folder, 8));
        Assert.Equal($"The data set '{set.Folder}' has 0 sounds with a caption or label in its split 'train'; a CLAP model learns to tell sounds apart and needs 2 at least, better thousands.", nothing.Message);
    }

    [Fact]
    public void Validation_sounds_that_cannot_be_read_stop_the_run_or_are_left_out()
    {
        var set = _sounds.Build(_sounds.Classes(14, "low", "high")).Set;
        string[] held = [.. ClapSetSounds.Of(set, "val", _ => throw new InvalidOperationException()).Select(s => s.Path)];
        File.WriteAllText(held[0], "no sound");
        var stopped = Assert.Throws<FlamingoException>(() => Training(set.Folder, "stopped", 1).Run([], TestContext.Current.CancellationToken));
        Assert.EndsWith(" Restore the file and go on with --resume, or leave such micro-batches out (--unreadable skip).", stopped.Message, StringComparison.Ordinal);
        Assert.Contains(held[0], stopped.Message, StringComparison.Ordinal);

        File.Delete(held[1]);
        var seen = new Seen();
        Skipping("skipped").Run([seen], TestContext.Current.CancellationToken);
        Assert.Equal(2, seen.Warnings.Count);
        Assert.All(seen.Warnings, w => Assert.StartsWith("left out of validation: ", w, StringComparison.Ordinal));
        Assert.Equal($"left out of validation: '{held[1]}' does not exist; check the path.", seen.Warnings[1]);
        Assert.Equal(1, seen.Validations.Single().Scores["sound to text R@10"], 1e-9); // of those that are left: their texts are among two

        foreach (string path in held)
            File.Delete(path);
        var nothing = Assert.Throws<FlamingoException>(() => Skipping("nothing").Run([], TestContext.Current.CancellationToken));
        Assert.Equal($"Not one of the {held.Length} validation sounds can be read. Restore them, or validate on others.", nothing.Message);

        ClapTraining Skipping(string folder)
        {
            var training = Training(set.Folder, folder, 1);
            return training with { Training = training.Training with { Unreadable = FaultPolicy.Skip } };
        }
    }

    public void Dispose() => _sounds.Dispose();

    private ClapTraining Training(string set, string folder, int steps)
    {
        var run = ClapTraining.DefaultTraining(_sounds.PathOf(folder), set, batchSize: 8);
        return new()
        {
            SetFolder = set,
            TokenizerFolder = Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini"),
            Training = run with { Epochs = null, ValidateEvery = 0, Optimization = run.Optimization with { TotalSteps = steps, WarmupSteps = 0, LearningRate = 5e-3 } },
            Config = TinyClap.Config with { Name = "clap-sounds" },
            Task = new() { BatchSize = 8 },
            Augmentation = new() { MixChance = 0, WarpChance = 0, ReverbChance = 0, NoiseChance = 0, LowPassChance = 0, HighPassChance = 0, TiltDecibels = 0, RollFrames = 0, TimeMasks = (0, 0), FrequencyMasks = (0, 0) },
        };
    }

    private sealed class Seen : ITrainingObserver
    {
        public List<double> Losses { get; } = [];

        public List<TrainingValidation> Validations { get; } = [];

        public List<string> Warnings { get; } = [];

        public void Stepped(TrainingStepReport step) => Losses.Add(step.Loss);

        public void Validated(TrainingValidation validation) => Validations.Add(validation);

        public void Warned(string message) => Warnings.Add(message);
    }
}
