using System.Text.Json;
using FlamingoSharp.Encoders;
using FlamingoSharp.Training.Data;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Stages;

/// <summary>A data set that a run is tried on.</summary>
/// <param name="Name"><c>Dataset-Task/split</c>.</param>
/// <param name="Wording">How its texts are worded; null takes those of the data set's training.</param>
internal sealed record ValidationEntry(string Name, AugmentationOptions? Wording);

/// <summary>How an encoder learns along.</summary>
internal sealed record EncoderTuning
{
    /// <summary>Parts of names, of which one is in the name of every parameter that learns; empty for all.</summary>
    public IReadOnlyList<string> Parts { get; init; } = [];

    /// <summary>Factor on the run's learning rate.</summary>
    public double LearningRateScale { get; init; } = 1;

    /// <summary>What is blanked of its spectrograms; null for nothing.</summary>
    public SpecAugment? Augment { get; init; } = new();
}

/// <summary>What a stage teaches a language model that hears: data, parts that learn, how it computes.</summary>
internal sealed record LanguageTaskOptions
{
    /// <summary>The stage, e.g. <c>sft</c>.</summary>
    public required string Stage { get; init; }

    /// <summary>The model folder that training starts from, unless it starts from <see cref="Parts"/>.</summary>
    public string ModelFolder { get; init; } = "";

    /// <summary>The language model and encoder that training starts from; null for a whole model.</summary>
    public BareParts? Parts { get; init; }

    /// <summary>The mixture.</summary>
    public required IReadOnlyList<BlendEntry> Entries { get; init; }

    /// <summary>Share of the whole training in one virtual epoch.</summary>
    public double GlobalWeight { get; init; } = 1;

    /// <summary>What the run is tried on; none for no validation.</summary>
    public IReadOnlyList<ValidationEntry> Validation { get; init; } = [];

    /// <summary>Items of a validation set at most.</summary>
    public int ValidationLimit { get; init; } = 64;

    /// <summary>The folder that the names of recordings are relative to.</summary>
    public required string DataRoot { get; init; }

    /// <summary>Gives the JSON of the manifest with a name.</summary>
    public required Func<string, JsonElement> Manifests { get; init; }

    /// <summary>Samples of a micro-batch.</summary>
    public int BatchSize { get; init; } = 4;

    /// <summary>Tokens of a text at most; the model's own limit counts too.</summary>
    public int MaxTokens { get; init; } = SampleComposer.MaxTokens;

    /// <summary>Seed of wordings, order and first values.</summary>
    public long Seed { get; init; } = 42;

    /// <summary>Teaches in the form in which the model is asked, in place of the reference's form of training.</summary>
    public bool AsAsked { get; init; }

    /// <summary>Windows of a sound at most; null for the model's own.</summary>
    public int? MaxWindows { get; init; }

    /// <summary>Windows of a sound at most from an epoch on: the curriculum of Audio Flamingo 2.</summary>
    public IReadOnlyList<(int Epoch, int Windows)> Curriculum { get; init; } = [];

    /// <summary>Sounds of a text at most; null for the model's own.</summary>
    public int? Slots { get; init; }

    /// <summary>True trains the whole language model.</summary>
    public bool FullLanguageModel { get; init; }

    /// <summary>Which rows of the token embedding learn.</summary>
    public EmbeddingTraining Embeddings { get; init; } = EmbeddingTraining.SoundTokens;

    /// <summary>Adapters of the language model; null for none.</summary>
    public LoraOptions? Lora { get; init; }

    /// <summary>Trains the encoder along; null leaves it frozen.</summary>
    public EncoderTuning? Encoder { get; init; }

    /// <summary>Weight decays.</summary>
    public OptimizationOptions Optimization { get; init; } = new();

    /// <summary>Factor on the loss.</summary>
    public double LossMultiplier { get; init; } = 1;

    /// <summary>Element type of matrix products; weights and gradients stay in float32.</summary>
    public ScalarType ComputeType { get; init; } = ScalarType.Float32;

    /// <summary>Layers keep their input alone and are run a second time for the gradient.</summary>
    public bool Recompute { get; init; }

    /// <summary>Variations of each training sound: itself and varied ones.</summary>
    public int Views { get; init; } = 1;

    /// <summary>Folder that keeps what is computed of sounds; null keeps nothing.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>Size of that folder at most, in bytes.</summary>
    public long CacheBytes { get; init; } = 4L << 30;

    /// <summary>Where the model is.</summary>
    public string Device { get; init; } = "cpu";
}
