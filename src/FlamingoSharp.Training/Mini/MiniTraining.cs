using System.Text;
using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>
/// The second stage of the mini model: the whole model, its trained encoder more slowly than the rest, learns to caption and to answer
/// about the sounds of a catalogue, and is written as a model folder.
/// </summary>
public sealed record MiniTraining
{
    /// <summary>Folder with catalogue.jsonl, synthesis.jsonl and qa.jsonl.</summary>
    public required string CatalogueFolder { get; init; }

    /// <summary>Folder of a <see cref="MelStore"/> made from the same catalogue.</summary>
    public required string MelFolder { get; init; }

    /// <summary>The trained encoder, from <see cref="EncoderTraining"/>.</summary>
    public required string EncoderFile { get; init; }

    /// <summary>How long to train, and the folder that holds tokenizer.json and receives config.json and model.safetensors.</summary>
    public required TrainingRunOptions Training { get; init; }

    /// <summary>What a run is like where nothing else is said.</summary>
    public static TrainingRunOptions DefaultTraining(string folder) => new()
    {
        Folder = folder,
        Optimization = new() { LearningRate = 1e-3, WarmupSteps = 200, TotalSteps = 5000, Schedule = LearningRateSchedule.Cosine },
        AverageDecay = 0.998,
        Keep = KeptWeights.Last, // answers go on getting better after the loss has stopped: it falls with doubt, not with mistakes
    };

    /// <summary>Shape of the model.</summary>
    public FlamingoConfig Config { get; init; } = FlamingoConfig.Mini;

    /// <summary>Which of the catalogue's sounds are learned from.</summary>
    public SoundChoice Choice { get; init; } = new();

    /// <summary>What texts are drawn from.</summary>
    public MiniMixture Mixture { get; init; } = new();

    /// <summary>Value of the gates at the start. The paper's 0 protects a pretrained language model; here there is none to protect.</summary>
    public double FirstGate { get; init; } = 0.5;

    /// <summary>Which texts are drawn where nothing else is said. The form of the prompt adds its own suffix.</summary>
    public static TrainingTextOptions DefaultTexts { get; } = new() { AnswerSuffix = "", WrittenPresence = 0.35 };

    /// <summary>Which texts are drawn.</summary>
    public TrainingTextOptions Texts { get; init; } = DefaultTexts;

    /// <summary>How the others are varied.</summary>
    public MelAugmentationOptions Augmentation { get; init; } = new();

    /// <summary>Model folder whose weights training starts from; null starts from first values.</summary>
    public string? StartFrom { get; init; }

    /// <summary>
    /// Model folder of the same shape whose language model is taken over, without what it hears with; null learns to write, too.
    /// Not with <see cref="StartFrom"/>.
    /// </summary>
    public string? LanguageFrom { get; init; }

    /// <summary>How it learns from them.</summary>
    public MiniTaskOptions Learning { get; init; } = new();

    /// <summary>Runs to the end.</summary>
    /// <exception cref="FlamingoException">A part cannot be read, or the parts do not belong together.</exception>
    public TrainingOutcome Run(IReadOnlyList<ITrainingObserver> observers, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(observers);
        if (StartFrom is not null && LanguageFrom is not null)
            throw new FlamingoException(FlamingoErrorKind.Usage, "Training was told to start from a whole model and from another's language model: name one of them.");
        Mixture.Validate();
        NativeRuntime.EnsureLoaded();
        var catalogue = Choice.Of(SoundCatalogue.Load(CatalogueFolder));
        using var mels = MelStore.Open(MelFolder, Config.Encoder);
        var tokenizer = Tokenizer.Load(Training.Folder);
        using var model = Config.Build(tokenizer.Special.Audio.Id);
        using (var weights = FirstWeights(model))
            ModuleWeights.Fill(model, weights, type: ScalarType.Float32);
        if (StartFrom is null)
            OpenGates(model);

        var train = new TrainingTexts(catalogue, "train", mels.IsUsable, Texts);
        var validation = new TrainingTexts(catalogue, "val", mels.IsUsable, Texts);
        var front = mels.Options;
        double frame = (double)front.Mel.Hop / front.Mel.SampleRate;
        var compositions = new NewCompositions(catalogue, train.Sounds, front.Windows.LengthSeconds * front.Windows.MaxWindows, frame);
        var batcher = new TextBatcher(tokenizer, Config.Prompts, model.Language.MaxTokens);
        using var task = new MiniLanguageTask(
            model, catalogue, mels, Augmentation, batcher, new MiniSampler(train, compositions, new SoundTextures(train.Sounds, frame), batcher, mels.WindowsOf, Mixture, Learning.BatchSize, Learning.Seed),
            Mixture.Unvaried, validation.Draw(0, 640), new PartTagging(EncoderTraining.Sounds(catalogue, mels, "train"), Config.Encoder, new TaggingOptions().MinimumTagCount, Learning.Seed), Learning);
        return new TrainingLoop(task, Training) { Observers = observers, Keep = Save }.Run(cancellation);
    }

    // The encoder is trained already; the rest goes on from a whole model, or begins, with or without another's words.
    private IWeightSource FirstWeights(FlamingoModel model)
    {
        return Checkpoint.Merge(StartFrom ?? LanguageFrom ?? EncoderFile, Parts());

        IEnumerable<IWeightSource> Parts()
        {
            yield return Of(Checkpoint.Open(EncoderFile), Hears);
            if (StartFrom is not null)
            {
                yield return Of(FlamingoSharp.Weights.ModelFolder.Open(StartFrom).OpenWeights(), name => !Hears(name));
                yield break;
            }
            if (LanguageFrom is not null)
                yield return Of(FlamingoSharp.Weights.ModelFolder.Open(LanguageFrom).OpenWeights(), Writes);
            yield return new FirstValues(model, Learning.Seed, name => !Hears(name) && !(LanguageFrom is not null && Writes(name)));
        }

        static RenamedSource Of(IWeightSource source, Func<string, bool> which) => new(source, name => which(name) ? name : null);
        static bool Hears(string name) => ModelParts.Of(name) == ModelPart.Encoder;
        static bool Writes(string name) => ModelParts.Of(name) == ModelPart.Language;
    }

    private void OpenGates(FlamingoModel model)
    {
        using var quiet = no_grad();
        foreach (var (name, parameter) in model.named_parameters())
        {
            if (name.EndsWith("_gate", StringComparison.Ordinal))
                parameter.FillInPlace(FirstGate);
        }
    }

    private void Save(IWeightSource weights)
    {
        AtomicFile.Write(Path.Combine(Training.Folder, "config.json"), file => file.Write(Encoding.UTF8.GetBytes(Config.ToJson() + "\n")));
        SafeTensorsWriter.WriteFile(Path.Combine(Training.Folder, "model.safetensors"), weights, new SafeTensorsOptions { Type = ScalarType.Float16 }, default);
    }
}
