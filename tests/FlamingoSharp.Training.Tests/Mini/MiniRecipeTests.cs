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
    private static readonly FlamingoConfig s_config = FlamingoConfig.Tiny;
    private readonly SoundFolder _folder = new();

    private string Mels => Path.Combine(_folder.Root, "mels");

    private string Encoder => Path.Combine(_folder.Root, "encoder.safetensors");

    private string Model => Path.Combine(_folder.Root, "model");

    [Fact]
    public void From_sounds_to_a_model_that_loads_and_answers_and_on_from_there()
    {
        RenderSounds.Run(_folder.Options("sounds"));
        BuildMels.Run(new() { SoundFolder = Path.Combine(_folder.Root, "sounds"), OutputFolder = Mels });

        var first = TrainEncoder(startFrom: null);
        Assert.All(first, p => Assert.True(double.IsFinite(p.Loss)));
        double goingOn = TrainEncoder(startFrom: Encoder)[0].Loss;
        Assert.Equal(first[0].Loss, TrainEncoder(startFrom: null)[0].Loss); // the same seed, the same run
        Assert.NotEqual(first[0].Loss, goingOn);

        Directory.CreateDirectory(Model);
        File.Copy(Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini", "tokenizer.json"), Path.Combine(Model, "tokenizer.json"));
        var learned = TrainLanguage(startFrom: null);
        Assert.True(learned[^1].ValidationLoss < Math.Log(s_config.Language.VocabularySize), $"No better than guessing: {learned[^1]}");
        CheckFolder();
        Assert.True(TrainLanguage(startFrom: Model)[^1].ValidationLoss < learned[^1].ValidationLoss, "Going on from the model made it no better.");
        CheckFolder();
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();

    // Nothing twice, nothing missing, and it can be asked.
    private void CheckFolder()
    {
        using (var weights = ModelFolder.Open(Model).OpenWeights())
            Assert.Equal(s_config.DescribeWeights().Select(w => w.Name).Order(), weights.Weights.Keys.Order());
        using var flamingo = Flamingo.Load(Model);
        using var sound = flamingo.Hear(Path.Combine(_folder.Audio, "pack", "dog.wav"));
        var caption = flamingo.Caption(sound);
        Assert.True(caption.Text.Length > 0 || caption.Candidates[0].Finish == FinishReason.Stop, $"{caption}"); // so early it may say nothing
    }

    private List<TaggingProgress> TrainEncoder(string? startFrom)
    {
        List<TaggingProgress> reports = [];
        new EncoderTraining
        {
            CatalogueFolder = _folder.Data,
            MelFolder = Mels,
            OutputFile = Encoder,
            Encoder = s_config.Encoder,
            StartFrom = startFrom,
            Tagging = new() { Steps = 4, BatchSize = 4, ValidateEvery = 2, MinimumTagCount = 1 },
        }.Run(reports.Add, TestContext.Current.CancellationToken);
        return reports;
    }

    private List<MiniProgress> TrainLanguage(string? startFrom)
    {
        List<MiniProgress> reports = [];
        var training = new MiniTraining
        {
            CatalogueFolder = _folder.Data,
            MelFolder = Mels,
            EncoderFile = Encoder,
            ModelFolder = Model,
            Config = s_config,
            BatchSize = 16,
            ValidateEvery = 10,
            StartFrom = startFrom,
        };
        (training with { Optimization = training.Optimization with { TotalSteps = 20, WarmupSteps = 2 } })
            .Run(reports.Add, TestContext.Current.CancellationToken);
        return reports;
    }
}
