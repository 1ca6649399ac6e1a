using FlamingoSharp.Encoders;
using FlamingoSharp.Models;
using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Training;

/// <summary>Trains an encoder on the sounds of a catalogue; the first stage of the mini model.</summary>
public sealed record EncoderTraining
{
    /// <summary>Folder with catalogue.jsonl and synthesis.jsonl.</summary>
    public required string CatalogueFolder { get; init; }

    /// <summary>Folder of a <see cref="MelStore"/> made from the same catalogue.</summary>
    public required string MelFolder { get; init; }

    /// <summary>Name of the file in the run's folder that receives the encoder's weights (safetensors, names of <c>clap.*</c>).</summary>
    public const string OutputName = "encoder.safetensors";

    /// <summary>How long to train, and the folder that receives the encoder.</summary>
    public required TrainingRunOptions Training { get; init; }

    /// <summary>What a run is like where nothing else is said.</summary>
    public static TrainingRunOptions DefaultTraining(string folder) => new()
    {
        Folder = folder,
        Optimization = new() { LearningRate = 1e-3, WarmupSteps = 200, TotalSteps = 10000, Schedule = LearningRateSchedule.Cosine },
        AverageDecay = 0.999,
        Keep = KeptWeights.Last,
    };

    /// <summary>Which of the catalogue's sounds are learned from.</summary>
    public SoundChoice Choice { get; init; } = new();

    /// <summary>Shape of the encoder; its front end must be that of the spectrograms.</summary>
    public HtsatOptions Encoder { get; init; } = FlamingoConfig.Mini.Encoder;

    /// <summary>How to train.</summary>
    public TaggingOptions Tagging { get; init; } = new();

    /// <summary>How spectrograms are varied.</summary>
    public MelAugmentationOptions Augmentation { get; init; } = new();

    /// <summary>Model folder, or file of an earlier run, whose encoder training starts from; null starts from first values.</summary>
    public string? StartFrom { get; init; }

    /// <summary>Runs to the end.</summary>
    /// <param name="observers">Told what happens.</param> <param name="cancellation">Stops between steps; the last file written stays.</param>
    /// <exception cref="FlamingoException">The catalogue or the spectrograms cannot be read, or do not belong together.</exception>
    public TrainingOutcome Run(IReadOnlyList<ITrainingObserver> observers, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(observers);
        Runtime.NativeRuntime.EnsureLoaded();
        var catalogue = Choice.Of(SoundCatalogue.Load(CatalogueFolder));
        using var mels = MelStore.Open(MelFolder, Encoder);
        var training = Sounds(catalogue, mels, "train");
        var validation = Sounds(catalogue, mels, "val");
        using var encoder = new Htsat(Encoder);
        FirstValues(encoder);
        using var task = new TaggingTask(encoder, Encoder, mels, training, validation, Tagging, Augmentation);
        return new TrainingLoop(task, Training)
        {
            Observers = observers,
            Keep = weights => SafeTensorsWriter.WriteFile(Path.Combine(Training.Folder, OutputName), weights),
        }.Run(cancellation);
    }

    private void FirstValues(Htsat encoder)
    {
        if (StartFrom is null)
        {
            ParameterInit.Initialize(encoder, Tagging.Seed);
            return;
        }
        using var weights = Checkpoint.Open(StartFrom);
        ModuleWeights.Fill(encoder, weights, ModelParts.EncoderPrefix, TorchSharp.torch.ScalarType.Float32);
    }

    /// <summary>The usable sounds of a split, with what is to be told of them.</summary>
    internal static List<TaggedSound> Sounds(SoundCatalogue catalogue, MelStore mels, string split)
    {
        var sounds = catalogue.Sounds.Where(s => s.Split == split && mels.IsUsable(s)).ToList();
        var weights = new SamplingWeights(sounds);
        return [.. sounds.Select(s => new TaggedSound(s.Id, SamplingWeights.ConceptOf(s), s.Labels, weights.Weights[s.Id]))];
    }
}
