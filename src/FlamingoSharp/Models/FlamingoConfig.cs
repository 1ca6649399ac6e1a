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
public sealed record FlamingoConfig
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

    /// <summary>True where text hears only the sounds up to its own place (Audio Flamingo 1).</summary>
    public bool FewShotMask { get; init; } = true;

    /// <summary>Name of the <see cref="PromptFormat"/> in which the model is asked.</summary>
    public string PromptFormatName { get; init; } = PromptFormat.Af1Inference.Name;

    /// <summary>The form in which the model is asked.</summary>
    [JsonIgnore]
    public PromptFormat Prompts => PromptFormat.All.FirstOrDefault(f => f.Name == PromptFormatName)
        ?? throw new FlamingoException(FlamingoErrorKind.Model,
            $"There is no prompt format '{PromptFormatName}'. Known are {string.Join(", ", PromptFormat.All.Select(f => f.Name))}.");

    /// <summary>How the model answers when nothing else is asked for: greedily, with the limits of its release.</summary>
    [JsonIgnore]
    public GenerationOptions Generation => PromptFormatName == PromptFormat.Af2.Name ? GenerationOptions.Greedy2 : GenerationOptions.Greedy;

    /// <summary>The released foundation model of Audio Flamingo 1: one sound a prompt.</summary>
    public static FlamingoConfig Af1Foundation { get; } = new() { Name = "af1-foundation" };

    /// <summary>The released chat model of Audio Flamingo 1: four sound slots, three of them empty when one sound is given.</summary>
    public static FlamingoConfig Af1Chat { get; } = new() { Name = "af1-chat", Windows = new WindowOptions { Slots = 4 } };

    /// <summary>The model in the box: the same architecture, small.</summary>
    public static FlamingoConfig Mini { get; } = new()
    {
        Name = "flamingo-mini",
        Windows = new WindowOptions { SampleRate = 32000, LengthSeconds = 5.1, OverlapSeconds = 2.55, MaxWindows = 8, RepeatShort = true },
        Encoder = new HtsatOptions
        {
            SampleRate = 32000,
            WindowSeconds = 5.1,
            Mel = new MelOptions { Hop = 640 },
            ImageSize = 128,
            PatchSize = 8,
            EmbedDim = 48,
            Depths = [2, 2, 2],
            Heads = [4, 4, 8],
            Classes = 0,
            ProjectionDim = 256,
            ProjectionDropout = 0.1,
            DropPath = 0,
        },
        AudioTransformer = new AudioTransformerOptions { Layers = 2, Heads = 4, Width = 256, FeedForward = 512, MaxVectors = 64 },
        CrossAttention = new CrossAttentionOptions { Heads = 4, HeadWidth = 48, FeedForwardMultiple = 2 },
        Language = new OptOptions { VocabularySize = 4103, HiddenSize = 192, Layers = 3, Heads = 4, FeedForward = 768, MaxPositions = 512 },
    };

    /// <summary>A toy of Audio Flamingo 1's shape, for tests and quick timings with synthetic weights.</summary>
    public static FlamingoConfig Tiny { get; } = new()
    {
        Name = "tiny",
        Windows = Mini.Windows with { MaxWindows = 4 },
        Encoder = Mini.Encoder with { EmbedDim = 16, Depths = [1, 1, 1], Heads = [2, 2, 4], ProjectionDim = 64 },
        AudioTransformer = new AudioTransformerOptions { Layers = 1, Heads = 4, Width = 64, FeedForward = 128, MaxVectors = 32 },
        CrossAttention = new CrossAttentionOptions { Heads = 2, HeadWidth = 32 },
        Language = new OptOptions { VocabularySize = 4103, HiddenSize = 64, Layers = 2, Heads = 4, FeedForward = 128, MaxPositions = 512 },
    };

    /// <summary>The presets by the names that the command line takes.</summary>
    public static IReadOnlyDictionary<string, FlamingoConfig> Presets { get; } = new Dictionary<string, FlamingoConfig>(StringComparer.Ordinal)
    {
        ["af1-foundation"] = Af1Foundation,
        ["af1-chat"] = Af1Chat,
        ["flamingo-mini"] = Mini,
        ["tiny"] = Tiny,
    };

    /// <summary>Longest recording that is heard, in seconds; what follows is cut, and said.</summary>
    [JsonIgnore]
    public double MaxSeconds => Windows.MaxSeconds;

    /// <summary>Finds a preset.</summary>
    /// <exception cref="FlamingoException">There is none of that name.</exception>
    public static FlamingoConfig Preset(string name) => Presets.TryGetValue(name, out var preset)
        ? preset
        : throw new FlamingoException(FlamingoErrorKind.Usage, $"There is no preset '{name}'. Known are {string.Join(", ", Presets.Keys)}.");

    /// <summary>Reads a config.json.</summary>
    /// <exception cref="FlamingoException">The file is missing, is not JSON of this form, or its sizes do not fit each other.</exception>
    public static FlamingoConfig Load(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            var config = JsonSerializer.Deserialize(stream, FlamingoConfigJson.Default.FlamingoConfig)
                ?? throw new FlamingoException(FlamingoErrorKind.Model, $"'{path}' holds no configuration.");
            config.Validate();
            return config;
        }
        catch (JsonException e)
        {
            throw new FlamingoException(FlamingoErrorKind.Model, $"'{path}' is not a model configuration: {e.Message}", e);
        }
        catch (IOException e)
        {
            throw new FlamingoException(FlamingoErrorKind.Model, $"'{path}' cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The text of config.json.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, FlamingoConfigJson.Default.FlamingoConfig);

    /// <summary>Checks that the parts fit each other.</summary>
    /// <exception cref="FlamingoException">They do not.</exception>
    public void Validate()
    {
        Encoder.Validate();
        Language.Validate();
        _ = Prompts;
        Require(Encoder.SampleRate == Windows.SampleRate && Encoder.WindowSamples == Windows.WindowSamples,
            $"windows have {Windows.WindowSamples} samples at {Windows.SampleRate} Hz but the encoder takes {Encoder.WindowSamples} at {Encoder.SampleRate} Hz");
        Require(Encoder.OutputDim == AudioTransformer.Width,
            $"the encoder gives vectors of {Encoder.OutputDim} but the audio transformer takes {AudioTransformer.Width}");
        Require(AudioTransformer.Heads > 0 && AudioTransformer.Width % AudioTransformer.Heads == 0,
            $"{AudioTransformer.Heads} heads do not divide the audio width {AudioTransformer.Width}");
        Require(AudioTransformer.Positions == AudioPositions.Rotary || VectorsPerSound * Windows.Slots <= AudioTransformer.MaxVectors,
            $"{Windows.Slots} sounds of {VectorsPerSound} vectors need more positions than {AudioTransformer.MaxVectors}");
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
            new Conditioning(soundToken, VectorsPerSound, FewShotMask));
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
