using FlamingoSharp.Embeddings;
using FlamingoSharp.Encoders;
using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>Trains a CLAP model on the sounds of a catalogue and what it says of them; the run's folder is the model's.</summary>
public sealed record ClapTraining
{
    /// <summary>Folder with catalogue.jsonl and synthesis.jsonl.</summary>
    public required string CatalogueFolder { get; init; }

    /// <summary>Folder of a <see cref="MelStore"/> made from the same catalogue.</summary>
    public required string MelFolder { get; init; }

    /// <summary>Folder of the tokenizer: that of flamingo-mini.</summary>
    public required string TokenizerFolder { get; init; }

    /// <summary>How long to train, and the folder that receives the model, anew at each validation.</summary>
    public required TrainingRunOptions Training { get; init; }

    /// <summary>Shape of the model; its front end must be that of the spectrograms. The text tower gets as many rows as the tokenizer has entries.</summary>
    public ClapConfig Config { get; init; } = ClapConfig.Mini;

    /// <summary>How to train.</summary>
    public ClapTaskOptions Task { get; init; } = new();

    /// <summary>How spectrograms are varied.</summary>
    public MelAugmentationOptions Augmentation { get; init; } = new();

    /// <summary>
    /// File of an encoder or folder of a model of the same encoder, whose sound encoder training starts from, or folder of a CLAP model, whose
    /// both towers it starts from; null starts from first values.
    /// </summary>
    public string? StartFrom { get; init; }

    /// <summary>What a run is like where nothing else is said.</summary>
    public static TrainingRunOptions DefaultTraining(string folder) => new()
    {
        Folder = folder,
        Optimization = new() { LearningRate = 1e-3, WarmupSteps = 100, TotalSteps = 4000, Schedule = LearningRateSchedule.Cosine },
        AverageDecay = 0.998,
        Keep = KeptWeights.Last,
        ValidateEvery = 250,
    };

    /// <summary>Runs to the end.</summary>
    /// <param name="observers">Told what happens.</param> <param name="cancellation">Stops between steps; the last model written stays.</param>
    /// <exception cref="FlamingoException">The catalogue, spectrograms or tokenizer cannot be read, or do not belong together.</exception>
    public TrainingOutcome Run(IReadOnlyList<ITrainingObserver> observers, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(observers);
        NativeRuntime.EnsureLoaded();
        var catalogue = SoundCatalogue.Load(CatalogueFolder);
        using var mels = MelStore.Open(MelFolder, Config.Audio);
        var tokenizer = Tokenizer.Load(TokenizerFolder);
        if (Config.Text is not { } text)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{Config.Name}' has no text tower, so there is nothing to learn from texts. Give a configuration with one.");
        var config = Config with { Text = text with { VocabularySize = tokenizer.LargestTextId + 1 } };
        using var towers = config.Build();
        FirstValues(towers);
        using var task = new ClapTask(
            towers, config, tokenizer, mels, ClapSounds.Of(catalogue, mels, "train"), ClapSounds.Of(catalogue, mels, "val"), Task, Augmentation);
        return new TrainingLoop(task, Training)
        {
            Observers = observers,
            Keep = weights => ClapModel.WriteInto(Training.Folder, config, tokenizer, weights, ScalarType.Float16),
        }.Run(cancellation);
    }

    private void FirstValues(ClapTowers towers)
    {
        ParameterInit.Initialize(towers, Task.Seed);
        using (var quiet = no_grad())
            towers.LogScale!.FillInPlace(ClapTowers.FirstLogScale);
        if (StartFrom is null)
            return;
        using var weights = Checkpoint.Open(StartFrom);
        if (weights.Weights.Keys.Any(n => n.StartsWith("text_branch.", StringComparison.Ordinal)))
            ModuleWeights.Fill(towers, weights, type: ScalarType.Float32);
        else
            ModuleWeights.Fill(towers.Audio, weights, "clap.", ScalarType.Float32);
    }
}
