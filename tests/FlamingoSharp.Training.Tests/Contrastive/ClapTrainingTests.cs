using FlamingoSharp.Embeddings;
using FlamingoSharp.Encoders;
using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Training.Tests.Sounds;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Training.Tests.Contrastive;

/// <summary>From a handful of sounds to a CLAP model that loads and tells them apart.</summary>
public sealed class ClapTrainingTests : IDisposable
{
    private static readonly ClapConfig s_config = ClapConfig.Mini with
    {
        Name = "tiny-clap",
        Audio = FlamingoConfig.Tiny.Encoder,
        Text = ClapConfig.Mini.Text! with { Width = 32, Layers = 1, Heads = 2, FeedForward = 32, Dropout = 0 },
        Dimensions = 16,
    };

    private readonly SoundFolder _folder = new();

    public ClapTrainingTests()
    {
        RenderSounds.Run(_folder.Options("sounds"));
        BuildMels.Run(new() { SoundFolder = PathOf("sounds"), OutputFolder = PathOf("mels") });
    }

    [Fact]
    public void A_trained_model_names_its_sounds_and_goes_on_from_there()
    {
        var seen = new Seen();
        var outcome = Train("run", 60, seen);

        Assert.Equal(60, outcome.Steps);
        Assert.True(seen.Losses.TakeLast(10).Average() < 0.7 * seen.Losses.Take(5).Average(), string.Join(' ', seen.Losses));
        var scores = seen.Validations[^1].Scores;
        Assert.Equal(["sound to text R@1", "sound to text R@5", "sound to text R@10", "text to sound R@1", "text to sound R@5", "text to sound R@10", "zero-shot", "scale"], scores.Keys);
        Assert.InRange(scores["scale"], 1, 100);

        using var clap = ClapModel.Load(PathOf("run"));
        Assert.Equal(4100, clap.Config.Text!.VocabularySize);
        var bell = new ZeroShot(clap, ["dog, dog bark, animal", "bell, metal", "wind, weather"]).Classify(Path.Combine(_folder.Audio, "pack", "bell.wav"), TestContext.Current.CancellationToken);
        Assert.Equal("bell, metal", bell[0].Label);

        var further = new Seen();
        Train("further", 3, further, PathOf("run"));
        Assert.True(further.Losses.Average() < seen.Losses.Take(3).Average(), $"{string.Join(' ', further.Losses)} / {string.Join(' ', seen.Losses.Take(3))}");
    }

    [Fact]
    public void The_sound_encoder_of_a_tagged_run_is_where_it_starts()
    {
        using var encoder = new Htsat(s_config.Audio);
        ParameterInit.Initialize(encoder, seed: 5);
        string file = PathOf("encoder.safetensors");
        SafeTensorsWriter.WriteFile(file, new TrainedWeights(("clap.", encoder)));
        Train("run", 1, new Seen(), file, rate: 0);
        using var kept = Checkpoint.Open(PathOf("run"));
        foreach (var (name, parameter) in encoder.named_parameters())
        {
            using var found = kept.Read("clap." + name, TorchSharp.torch.ScalarType.Float32);
            TensorAssert.Close(parameter, found, 2e-3, name); // stored in half precision
        }
    }

    [Fact]
    public void The_same_index_gives_the_same_batch()
    {
        using var mels = MelStore.Open(PathOf("mels"));
        var sounds = ClapSounds.Of(SoundCatalogue.Load(_folder.Data), mels, "train");
        using var towers = s_config.Build();
        ParameterInit.Initialize(towers, seed: 1);
        using var task = new ClapTask(towers, s_config, TinyClap.Tokenizer, sounds, [], new() { BatchSize = 4 }, new());
        towers.eval();
        double Loss(long index)
        {
            using var batch = task.Prepare(index);
            using var loss = task.Loss(batch);
            return loss.item<float>();
        }
        Assert.Equal(Loss(7), Loss(7));
        Assert.NotEqual(Loss(7), Loss(8));
        Assert.Null(task.Validate(e => throw e, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Texts_are_the_caption_the_labels_and_the_concept_in_lower_case_without_keys_or_spoken_words()
    {
        using var mels = MelStore.Open(PathOf("mels"));
        var catalogue = SoundCatalogue.Load(_folder.Data);
        var dog = ClapSounds.Of(catalogue, mels, "train").Single(s => s.Id == "dog_1");
        Assert.Equal(("dog", "a dog barks.", "dog, dog bark, animal"), (dog.Kind, dog.Captions.Single(), dog.Labels.Single()));
        Assert.Equal(["dog, dog bark, animal", "dog"], dog.Names);
        var sequence = ClapSounds.Of(catalogue, mels, "train").Single(s => s.Id == "seq");
        Assert.True(sequence.Whole && sequence.Labels.Count == 0);
        var man = ClapSounds.Of(catalogue, mels, "val").Single(s => s.Id == "long_1");
        Assert.Equal("a man speaks dutch.|speech, dutch|speech", string.Join('|', man.Captions.Concat(man.Names)));
    }

    [Fact]
    public void Spectrograms_of_another_front_end_are_refused()
    {
        var training = Training("run", 1) with { Config = s_config with { Audio = s_config.Audio with { Mel = s_config.Audio.Mel with { Hop = 800 } } } };
        Assert.Contains("were made by another front end", Assert.Throws<FlamingoException>(() => training.Run([], TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        var deaf = Training("run", 1) with { Config = ClapConfig.Microsoft with { Audio = s_config.Audio, Dimensions = s_config.Audio.OutputDim } };
        Assert.Contains("has no text tower", Assert.Throws<FlamingoException>(() => deaf.Run([], TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private string PathOf(string name) => Path.Combine(_folder.Root, name);

    private TrainingOutcome Train(string folder, int steps, Seen seen, string? startFrom = null, double rate = 2e-3) =>
        Training(folder, steps, startFrom, rate).Run([seen], TestContext.Current.CancellationToken);

    private ClapTraining Training(string folder, int steps, string? startFrom = null, double rate = 2e-3)
    {
        var run = ClapTraining.DefaultTraining(PathOf(folder));
        return new()
        {
            CatalogueFolder = _folder.Data,
            MelFolder = PathOf("mels"),
            TokenizerFolder = Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini"),
            Training = run with { ValidateEvery = 0, AverageDecay = null, Optimization = run.Optimization with { TotalSteps = steps, WarmupSteps = 0, LearningRate = rate } },
            Config = s_config,
            Task = new() { BatchSize = 5 },
            Augmentation = new() { MixChance = 0, WarpChance = 0, ReverbChance = 0, NoiseChance = 0, LowPassChance = 0, HighPassChance = 0, TiltDecibels = 0, RollFrames = 0, TimeMasks = (0, 0), FrequencyMasks = (0, 0) },
            StartFrom = startFrom,
        };
    }

    private sealed class Seen : ITrainingObserver
    {
        public List<double> Losses { get; } = [];

        public List<TrainingValidation> Validations { get; } = [];

        public void Stepped(TrainingStepReport step) => Losses.Add(step.Loss);

        public void Validated(TrainingValidation validation) => Validations.Add(validation);
    }
}
