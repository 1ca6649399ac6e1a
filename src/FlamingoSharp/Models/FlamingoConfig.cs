using System.Text.Json;
using System.Text.Json.Serialization;
using FlamingoSharp.Audio;
using FlamingoSharp.Encoders;
using FlamingoSharp.Generation;
using FlamingoSharp.Runtime;
using FlamingoSharp.Text;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Models;

/// <summary>Everything that decides a model's shape and how it is spoken to; <c>config.json</c> of a model folder.</summary>
public sealed partial record FlamingoConfig
{
    /// <summary>Shown to users, e.g. <c>af1-foundation</c>.</summary>
    public required string Name { get; init; }

    /// <summary>How recordings are cut into windows.</summary>
    public WindowOptions Windows { get; init; } = new();

    /// <summary>The audio encoder.</summary>
    public HtsatOptions Encoder { get; init; } = new();

    /// <summary>The transformer over encoded windows.</summary>
    public AudioTransformerOptions AudioTransformer { get; init; } = new();

    /// <summary>The gated cross-attention blocks.</summary>
    public CrossAttentionOptions CrossAttention { get; init; } = new();

    /// <summary>The language model.</summary>
    public LanguageModelOptions Language { get; init; } = new OptOptions();

    /// <summary>True where text hears only the sounds up to its own place (Audio Flamingo 1). The release of Audio Flamingo 2 has no such mask.</summary>
    public bool FewShotMask { get; init; } = true;

    /// <summary>
    /// Audio vectors that <see cref="FewShotMask"/> counts as one sound; null is right: as many as a sound has. The training code of Audio
    /// Flamingo 2 says 1, so that its text hears the first 1/64 of the first window alone, and fails when it decodes; its release drops
    /// the mask. 1 with the mask on repeats that code's logits and loss; generation is then refused.
    /// </summary>
    public int? FewShotVectors { get; init; }

    /// <summary>Name of the <see cref="PromptFormat"/> in which the model is asked.</summary>
    public string PromptFormatName { get; init; } = PromptFormat.Af1Inference.Name;

    /// <summary>The classes that the model was fine-tuned to tell apart, in the order in which it is asked; null for a model of no fixed classes.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>The form in which the model is asked.</summary>
    [JsonIgnore]
    public PromptFormat Prompts => PromptFormat.All.FirstOrDefault(f => f.Name == PromptFormatName)
        ?? throw new FlamingoException(FlamingoErrorKind.Model,
            $"There is no prompt format '{PromptFormatName}'. Known are {string.Join(", ", PromptFormat.All.Select(f => f.Name))}.");

    /// <summary>How the model answers when nothing else is asked for: greedily, with the limits of its release.</summary>
    [JsonIgnore]
    public GenerationOptions Generation => PromptFormatName == PromptFormat.Af2.Name ? GenerationOptions.Greedy2 : GenerationOptions.Greedy;

    /// <summary>Longest recording that is heard, in seconds; what follows is cut, and said.</summary>
    [JsonIgnore]
    public double MaxSeconds => Windows.MaxSeconds;

    /// <summary>Reads a config.json.</summary>
    /// <exception cref="FlamingoException">The file is missing, is not JSON of this form, or its sizes do not fit each other.</exception>
    public static FlamingoConfig Load(string path)
    {
        var config = ConfigJson.Load(path, FlamingoConfigJson.Default.FlamingoConfig, "a model configuration");
        config.Validate();
        return config;
    }

    /// <summary>The text of config.json.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, FlamingoConfigJson.Default.FlamingoConfig);

    /// <summary>What the encoding of a sound depends on beside the weights.</summary>
    internal string DescribeHearing() =>
        JsonSerializer.Serialize(Windows with { Slots = 1 }, FlamingoConfigJson.Default.WindowOptions) + JsonSerializer.Serialize(Encoder, FlamingoConfigJson.Default.HtsatOptions);

    /// <summary>Checks that the parts fit each other.</summary>
    /// <exception cref="FlamingoException">They do not.</exception>
    public void Validate()
    {
        Windows.Validate();
        Encoder.Validate();
        Language.Validate();
        _ = Prompts;
        Require(Encoder.SampleRate == Windows.SampleRate && Encoder.WindowSamples == Windows.WindowSamples,
            $"windows have {Windows.WindowSamples} samples at {Windows.SampleRate} Hz but the encoder takes {Encoder.WindowSamples} at {Encoder.SampleRate} Hz");
        Require(Encoder.OutputDim == AudioTransformer.Width,
            $"the encoder gives vectors of {Encoder.OutputDim} but the audio transformer takes {AudioTransformer.Width}");
        Require(AudioTransformer.Heads > 0 && AudioTransformer.Width % AudioTransformer.Heads == 0,
            $"{AudioTransformer.Heads} heads do not divide the audio width {AudioTransformer.Width}");
        Require(AudioTransformer.Positions == AudioPositions.Sinusoid || AudioTransformer.Width / AudioTransformer.Heads >= RotaryPositions.LeastRotated,
            $"heads of {AudioTransformer.Width / AudioTransformer.Heads} are too narrow for rotary positions, which turn {RotaryPositions.LeastRotated} dimensions of each at least");
        Require(AudioTransformer.Positions == AudioPositions.Rotary || VectorsPerSound * Windows.Slots <= AudioTransformer.MaxVectors,
            $"{Windows.Slots} sounds of {VectorsPerSound} vectors need more positions than {AudioTransformer.MaxVectors}");
        Require(FewShotVectors is null or > 0, $"few_shot_vectors is {FewShotVectors}; it must be 1 or more, or left out");
        Require(Windows.PadToMaxWindows || AudioTransformer.MaskPadding,
            "its sounds are not filled up to the same number of windows, so the audio transformer must mask the filling between them");
    }

    /// <summary>The tensors of a model of this form, by their canonical names: what a checkpoint must hold.</summary>
    /// <exception cref="FlamingoException">The parts do not fit each other.</exception>
    public IReadOnlyList<WeightInfo> DescribeWeights()
    {
        NativeRuntime.EnsureLoaded();
        using var model = Build(soundToken: 0);
        return ModuleWeights.Describe(model);
    }

    /// <summary>Compares the names and shapes of a checkpoint with those of this model, without reading its data.</summary>
    /// <exception cref="FlamingoException">A tensor is missing, unexpected or of another shape.</exception>
    public void CheckWeights(IWeightSource source)
    {
        NativeRuntime.EnsureLoaded();
        using var model = Build(soundToken: 0);
        ModuleWeights.Check(model, source);
    }

    /// <summary>Audio vectors of one sound slot.</summary>
    internal int VectorsPerSound => Windows.MaxWindows * Encoder.OutputTokens;

    /// <summary>Makes the model on the meta device: shapes without data.</summary>
    /// <param name="soundToken">Id of <c>&lt;audio&gt;</c>.</param>
    internal FlamingoModel Build(int soundToken)
    {
        Validate();
        return new FlamingoModel(
            new Htsat(Encoder),
            new AudioTransformer(AudioTransformer),
            Language.Build(AudioTransformer.Width, CrossAttention),
            new Conditioning(soundToken, FewShotVectors ?? VectorsPerSound, FewShotMask) { ForTrainingOnly = FewShotMask && FewShotVectors is not null });
    }

    private static void Require(bool condition, string problem)
    {
        if (!condition)
            throw new FlamingoException(FlamingoErrorKind.Model, $"The model's configuration does not fit together: {problem}.");
    }
}

/// <summary>Source-generated JSON of the configuration.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true,
    IgnoreReadOnlyProperties = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowOutOfOrderMetadataProperties = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(FlamingoConfig))]
internal sealed partial class FlamingoConfigJson : JsonSerializerContext;
