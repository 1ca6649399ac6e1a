using FlamingoSharp.Embeddings;
using FlamingoSharp.Encoders;
using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using FlamingoSharp.Text;
using FlamingoSharp.Training.DataSets;
using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Training.Stages;
using static TorchSharp.torch;
using SoundPart = FlamingoSharp.Training.Stages.SoundPart;

namespace FlamingoSharp.Training;

/// <summary>
/// Trains a CLAP model on sounds and what is said of them, those of a data set or of a catalogue; the run's folder is the model's.
/// </summary>
public sealed record ClapTraining
{
    private const int SetEpochs = 30;

    /// <summary>Folder of a data set made by <c>flamingo data build</c>; null takes <see cref="CatalogueFolder"/> and <see cref="MelFolder"/>.</summary>
    public string? SetFolder { get; init; }

    /// <summary>Folder with catalogue.jsonl and synthesis.jsonl.</summary>
    public string? CatalogueFolder { get; init; }

    /// <summary>Folder of a <see cref="MelStore"/> made from the same catalogue.</summary>
    public string? MelFolder { get; init; }

    /// <summary>Folder of the tokenizer: that of flamingo-mini, or that of the CLAP model which training starts from.</summary>
    public required string TokenizerFolder { get; init; }

    /// <summary>How long to train, and the folder that receives the model, anew at each validation.</summary>
    public required TrainingRunOptions Training { get; init; }

    /// <summary>
    /// Shape of the model; its front end must be that of a catalogue's spectrograms. The text tower gets as many rows as the tokenizer has
    /// entries. Null takes the form of <see cref="StartFrom"/>, if it says one, else <see cref="ClapConfig.Mini"/>.
    /// </summary>
    public ClapConfig? Config { get; init; }

    /// <summary>How to train.</summary>
    public ClapTaskOptions Task { get; init; } = new();

    /// <summary>How spectrograms are varied.</summary>
    public MelAugmentationOptions Augmentation { get; init; } = new();

    /// <summary>
    /// File of an encoder or folder of a model of the same encoder, whose sound encoder training starts from, or folder or published file of a
    /// CLAP model, whose both towers it starts from; null starts from first values.
    /// </summary>
    public string? StartFrom { get; init; }

    /// <summary>Folder that keeps the spectrograms of a data set's sounds; null computes them each time.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>Size of that folder at most, in bytes.</summary>
    public long CacheBytes { get; init; } = 4L << 30;

    /// <summary>What a run over a catalogue is like where nothing else is said.</summary>
    public static TrainingRunOptions DefaultTraining(string folder) => new()
    {
        Folder = folder,
        Optimization = new() { LearningRate = 1e-3, WarmupSteps = 100, TotalSteps = 4000, Schedule = LearningRateSchedule.Cosine },
        AverageDecay = 0.998,
        Keep = KeptWeights.Last,
        ValidateEvery = 250,
    };

    /// <summary>What a run over a data set is like where nothing else is said: the epoch with the smallest validation loss is kept.</summary>
    /// <param name="folder">Of the run.</param> <param name="setFolder">The data set.</param> <param name="batchSize">Pairs in a micro-batch.</param>
    /// <exception cref="FlamingoException">The data set cannot be read, or has nothing to learn from.</exception>
    public static TrainingRunOptions DefaultTraining(string folder, string setFolder, int batchSize)
    {
        int batches = new ClapEpochs(SoundsOf(DataSet.Open(setFolder), "train", _ => throw new InvalidOperationException()), batchSize).Batches;
        return new()
        {
            Folder = folder,
            Optimization = new() { LearningRate = 1e-3, WarmupSteps = Math.Min(100, 2 * batches), Schedule = LearningRateSchedule.Cosine },
            Epochs = SetEpochs,
            ValidateEvery = batches,
            CheckpointEvery = batches,
        };
    }

    /// <summary>Runs to the end.</summary>
    /// <param name="observers">Told what happens.</param> <param name="cancellation">Stops between steps; the last model written stays.</param>
    /// <exception cref="FlamingoException">The data, spectrograms, tokenizer or weights cannot be read, or do not belong together.</exception>
    public TrainingOutcome Run(IReadOnlyList<ITrainingObserver> observers, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(observers);
        if (SetFolder is null == (CatalogueFolder is null || MelFolder is null))
            throw new FlamingoException(FlamingoErrorKind.Usage, "A CLAP model learns either from a data set or from a catalogue with its spectrograms: give one of the two.");
        var set = SetFolder is null ? null : DataSet.Open(SetFolder);
        NativeRuntime.EnsureLoaded();
        using var start = StartFrom is null ? null : ClapStart.Open(StartFrom);
        var tokenizer = Tokenizer.Load(TokenizerFolder);
        var config = FormOf(start, set, tokenizer);
        using var towers = config.Build();
        return set is null ? RunOverCatalogue() : RunOverSet();

        TrainingOutcome RunOverCatalogue()
        {
            var catalogue = SoundCatalogue.Load(CatalogueFolder!);
            using var mels = MelStore.Open(MelFolder!, config.Audio);
            FirstValues(towers, start);
            using var task = new ClapTask(
                towers, config, tokenizer, ClapSounds.Of(catalogue, mels, "train"), ClapSounds.Of(catalogue, mels, "val"), Task, Augmentation);
            return Train(task);
        }

        TrainingOutcome RunOverSet()
        {
            using var source = new SoundSource(towers.Audio, config, CacheFolder is null ? null : new FeatureCache(CacheFolder, CacheBytes));
            SoundFeatures Hear(SoundPart part) => source.Hear(part, config.MaxWindows);
            var training = SoundsOf(set, "train", Hear);
            var validation = ClapSetSounds.Of(set, "val", Hear);
            if (Training.Unreadable == FaultPolicy.Stop)
                Check(set, training.Concat(validation));
            FirstValues(towers, start);
            using var task = new ClapTask(
                towers, config, tokenizer, training, validation, Task, SoundSource.Fit(Augmentation, config.Audio), epochs: true);
            return Train(task);
        }

        TrainingOutcome Train(ClapTask task) => new TrainingLoop(task, Training)
        {
            Observers = observers,
            Keep = weights => ClapModel.WriteInto(Training.Folder, config, tokenizer, weights, ScalarType.Float16),
        }.Run(cancellation);
    }

    private static IReadOnlyList<ClapSound> SoundsOf(DataSet set, string split, Func<SoundPart, SoundFeatures> hear)
    {
        var sounds = ClapSetSounds.Of(set, split, hear);
        return sounds.Count > 1 ? sounds : throw new FlamingoException(FlamingoErrorKind.Input,
            $"The data set '{set.Folder}' has {sounds.Count} sounds with a caption or label in its split '{split}'; a CLAP model learns to tell sounds apart and needs 2 at least, better thousands.");
    }

    // Before hours are spent.
    private static void Check(DataSet set, IEnumerable<ClapSound> sounds)
    {
        if (sounds.FirstOrDefault(s => !File.Exists(s.Path)) is { } missing)
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{set.Name}' refers to the sound '{missing.Path}', which does not exist. 'flamingo data validate' lists every such file.");
    }

    private ClapConfig FormOf(ClapStart? start, DataSet? set, Tokenizer tokenizer)
    {
        var config = Config ?? start?.Form ?? ClapConfig.Mini;
        if (config.Text is not { } text)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{config.Name}' has no text tower, so there is nothing to learn from texts. Give a configuration with one.");
        if (Config is null && set is not null)
            config = config with { Name = $"clap-{set.Name}" };
        return Config is null && start is { HasText: true, Form: not null } ? config : config with { Text = text with { VocabularySize = tokenizer.LargestTextId + 1 } };
    }

    private void FirstValues(ClapTowers towers, ClapStart? start)
    {
        ParameterInit.Initialize(towers, Task.Seed);
        using (var quiet = no_grad())
            towers.LogScale!.FillInPlace(ClapTowers.FirstLogScale);
        start?.Fill(towers);
    }
}
