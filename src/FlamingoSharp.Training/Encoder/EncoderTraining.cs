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

    /// <summary>File that receives the encoder's weights (safetensors, names of <c>clap.*</c>), anew at each validation.</summary>
    public required string OutputFile { get; init; }

    /// <summary>Shape of the encoder; its front end must be that of the spectrograms.</summary>
    public HtsatOptions Encoder { get; init; } = FlamingoConfig.Mini.Encoder;

    /// <summary>How to train.</summary>
    public TaggingOptions Tagging { get; init; } = new();

    /// <summary>How spectrograms are varied.</summary>
    public MelAugmentationOptions Augmentation { get; init; } = new();

    /// <summary>Model folder, or file of an earlier run, whose encoder training starts from; null starts from first values.</summary>
    public string? StartFrom { get; init; }

    /// <summary>Runs to the end.</summary>
    /// <param name="report">Called about every 50 steps.</param> <param name="cancellation">Stops between steps; the last file written stays.</param>
    /// <exception cref="FlamingoException">The catalogue or the spectrograms cannot be read, or do not belong together.</exception>
    public void Run(Action<TaggingProgress> report, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(report);
        Runtime.NativeRuntime.EnsureLoaded();
        TorchSharp.torch.manual_seed(Tagging.Seed); // dropout draws from torch's own generator
        var catalogue = SoundCatalogue.Load(CatalogueFolder);
        using var mels = MelStore.Open(MelFolder);
        if (mels.Options.Mel != Encoder.Mel || mels.Options.Windows.WindowSamples != Encoder.WindowSamples)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"The spectrograms in '{MelFolder}' were made by another front end ({mels.Options.Mel}) than the encoder's ({Encoder.Mel}). Build them anew.");
        }
        var training = Sounds(catalogue, mels, "train");
        var validation = Sounds(catalogue, mels, "val");
        using var encoder = new Htsat(Encoder);
        FirstValues(encoder);
        using var trainer = new TaggingTrainer(encoder, Encoder, mels, training, validation, Tagging, Augmentation);
        trainer.Run(report, _ => SafeTensorsWriter.WriteFile(OutputFile, new TrainedWeights(("clap.", encoder))), cancellation);
    }

    private void FirstValues(Htsat encoder)
    {
        if (StartFrom is null)
        {
            ParameterInit.Initialize(encoder, Tagging.Seed);
            return;
        }
        using var weights = Checkpoint.Open(StartFrom);
        ModuleWeights.Fill(encoder, weights, "clap.", TorchSharp.torch.ScalarType.Float32);
    }

    private static List<TaggedSound> Sounds(SoundCatalogue catalogue, MelStore mels, string split)
    {
        var sounds = catalogue.Sounds.Where(s => s.Split == split && mels.IsUsable(s)).ToList();
        var weights = new SamplingWeights(sounds);
        return [.. sounds.Select(s => new TaggedSound(s.Id, SamplingWeights.ConceptOf(s), s.Labels, weights.Weights[s.Id]))];
    }
}
