using FlamingoSharp.Encoders;
using FlamingoSharp.Generation;
using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Training.Tests.Sounds;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Training.Tests.Mini;

/// <summary>The steps that make the model in the box, one after another on a handful of sounds.</summary>
public sealed class MiniRecipeTests : IDisposable
{
    private static readonly FlamingoConfig s_config = FlamingoConfig.Mini with
    {
        Name = "tiny",
        Encoder = FlamingoConfig.Tiny.Encoder with { Output = HtsatOutput.TimeSteps },
        AudioTransformer = FlamingoConfig.Mini.AudioTransformer with { Layers = 1, Width = 64, FeedForward = 128, Heads = 2 },
        CrossAttention = FlamingoConfig.Tiny.CrossAttention,
        Language = FlamingoConfig.Tiny.Language,
    };
    private readonly SoundFolder _folder = new();

    private string Mels => Path.Combine(_folder.Root, "mels");

    private string Encoder => Path.Combine(_folder.Root, "first-encoder", EncoderTraining.OutputName);

    [Fact]
    public void From_sounds_to_a_model_that_loads_and_answers_and_on_from_there()
    {
        RenderSounds.Run(_folder.Options("sounds"));
        BuildMels.Run(new() { SoundFolder = Path.Combine(_folder.Root, "sounds"), OutputFolder = Mels });

        var first = TrainEncoder("first-encoder", startFrom: null);
        Assert.All(first, loss => Assert.True(double.IsFinite(loss)));
        double goingOn = TrainEncoder("second-encoder", startFrom: Encoder)[0];
        Assert.Equal(first, TrainEncoder("third-encoder", startFrom: null)); // the same seed, the same run
        Assert.NotEqual(first[0], goingOn);

        string model = Path.Combine(_folder.Root, "first-model"), better = Path.Combine(_folder.Root, "second-model");
        var learned = TrainLanguage(model, startFrom: null);
        Assert.True(learned[^1] < Math.Log(s_config.Language.VocabularySize), $"No better than guessing: {learned[^1]}");
        CheckFolder(model);
        Assert.True(TrainLanguage(better, startFrom: model)[^1] < learned[^1], "Going on from the model made it no better.");
        CheckFolder(better);

        string kept = Path.Combine(_folder.Root, "third-model");
        Assert.True(TrainLanguage(kept, startFrom: null, words: model)[0] < learned[0], "Words that were known helped nothing.");
        CheckFolder(kept);
    }

    [Fact]
    public void A_whole_model_and_anothers_words_are_too_much_to_start_from()
    {
        var error = Assert.Throws<FlamingoException>(() => TrainLanguage(Path.Combine(_folder.Root, "model"), startFrom: "one", words: "other"));
        Assert.Equal("Training was told to start from a whole model and from another's language model: name one of them.", error.Message);
    }

    public static readonly TheoryData<MiniMixture, string> WrongMixtures = new()
    {
        { new() { Drowned = 1.5 }, "Drowned is 1.5; a share must lie between 0 and 1." },
        { new() { Shots = -0.1 }, "Shots is -0.1; a share must lie between 0 and 1." },
        { new() { Unvaried = double.NaN }, "Unvaried is NaN; a share must lie between 0 and 1." },
        { new() { Compositions = 0.5, Dialogues = 0.6, Textures = 0, Shots = 0 }, "Compositions, textures, dialogues and questions after examples are 1.1 of all texts together; they must be at most 1." },
    };

    [Theory]
    [MemberData(nameof(WrongMixtures), DisableDiscoveryEnumeration = true)]
    public void A_mixture_of_more_than_all_is_refused(MiniMixture mixture, string message)
    {
        var error = Assert.Throws<FlamingoException>(() => new MiniTraining
        {
            CatalogueFolder = _folder.Data,
            MelFolder = Mels,
            EncoderFile = Encoder,
            Mixture = mixture,
            Training = MiniTraining.DefaultTraining(_folder.Root),
        }.Run([], TestContext.Current.CancellationToken));
        Assert.Equal(message, error.Message);
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();

    // Nothing twice, nothing missing, and it can be asked.
    private void CheckFolder(string model)
    {
        using (var weights = ModelFolder.Open(model).OpenWeights())
            Assert.Equal(s_config.DescribeWeights().Select(w => w.Name).Order(), weights.Weights.Keys.Order());
        using var flamingo = Flamingo.Load(model);
        using var sound = flamingo.Hear(Path.Combine(_folder.Audio, "pack", "dog.wav"));
        var caption = flamingo.Caption(sound);
        Assert.True(caption.Text.Length > 0 || caption.Candidates[0].Finish == FinishReason.Stop, $"{caption}"); // so early it may say nothing
    }

    private List<double> TrainEncoder(string name, string? startFrom)
    {
        var seen = new Losses();
        var run = EncoderTraining.DefaultTraining(Path.Combine(_folder.Root, name));
        new EncoderTraining
        {
            CatalogueFolder = _folder.Data,
            MelFolder = Mels,
            Encoder = s_config.Encoder,
            StartFrom = startFrom,
            Tagging = new() { BatchSize = 4, MinimumTagCount = 1 },
            Training = run with { ValidateEvery = 2, Optimization = run.Optimization with { TotalSteps = 4 } },
        }.Run([seen], TestContext.Current.CancellationToken);
        return seen.Steps;
    }

    private List<double> TrainLanguage(string folder, string? startFrom, string? words = null)
    {
        Directory.CreateDirectory(folder);
        File.Copy(Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini", "tokenizer.json"), Path.Combine(folder, "tokenizer.json"));
        var seen = new Losses();
        var run = MiniTraining.DefaultTraining(folder);
        new MiniTraining
        {
            CatalogueFolder = _folder.Data,
            MelFolder = Mels,
            EncoderFile = Encoder,
            Config = s_config,
            Learning = new() { BatchSize = 16 },
            StartFrom = startFrom,
            LanguageFrom = words,
            Training = run with { ValidateEvery = 10, Optimization = run.Optimization with { TotalSteps = 20, WarmupSteps = 2 } },
        }.Run([seen], TestContext.Current.CancellationToken);
        return seen.Validations;
    }

    private sealed class Losses : ITrainingObserver
    {
        public List<double> Steps { get; } = [];

        public List<double> Validations { get; } = [];

        public void Stepped(TrainingStepReport step) => Steps.Add(step.Loss);

        public void Validated(TrainingValidation validation) => Validations.Add(validation.Loss);
    }
}
