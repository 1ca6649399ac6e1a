using FlamingoSharp.Audio;
using FlamingoSharp.Encoders;
using FlamingoSharp.Text;

namespace FlamingoSharp.Models;

/// <content>The models that are known by name.</content>
public sealed partial record FlamingoConfig
{
    /// <summary>The released foundation model of Audio Flamingo 1: one sound a prompt.</summary>
    public static FlamingoConfig Af1Foundation { get; } = new() { Name = "af1-foundation" };

    /// <summary>The released chat model of Audio Flamingo 1: four sound slots, three of them empty when one sound is given.</summary>
    public static FlamingoConfig Af1Chat { get; } = new() { Name = "af1-chat", Windows = new WindowOptions { Slots = 4 } };

    /// <summary>
    /// The released Audio Flamingo 2 over Qwen2.5-3B: 12 windows of 10 s. <see cref="WithMaxWindows"/> makes it hear 5 minutes.
    /// </summary>
    public static FlamingoConfig Af2 { get; } = new()
    {
        Name = "af2-3b",
        Windows = new WindowOptions { SampleRate = 16000, LengthSeconds = 10, OverlapSeconds = 0, MaxWindows = 12, PadToMaxWindows = false },
        Encoder = HtsatOptions.AfClap,
        AudioTransformer = new AudioTransformerOptions { Width = 2048, Positions = AudioPositions.Rotary, MaskPadding = true },
        FewShotMask = false,
        Language = new Qwen2Options(),
        PromptFormatName = PromptFormat.Af2.Name,
    };

    /// <summary>Audio Flamingo 2 over Qwen2.5-1.5B.</summary>
    public static FlamingoConfig Af2Medium { get; } = Af2 with
    {
        Name = "af2-1.5b",
        Language = new Qwen2Options { HiddenSize = 1536, Layers = 28, Heads = 12, FeedForward = 8960 },
    };

    /// <summary>Audio Flamingo 2 over Qwen2.5-0.5B.</summary>
    public static FlamingoConfig Af2Small { get; } = Af2 with
    {
        Name = "af2-0.5b",
        Language = new Qwen2Options { HiddenSize = 896, Layers = 24, Heads = 14, FeedForward = 4864 },
    };

    /// <summary>The model in the box: the same architecture, small.</summary>
    public static FlamingoConfig Mini { get; } = new()
    {
        Name = "flamingo-mini",
        Windows = new WindowOptions { SampleRate = 32000, LengthSeconds = 5.1, OverlapSeconds = 0, MaxWindows = 4 },
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
            Output = HtsatOutput.TimeSteps,
        },
        AudioTransformer = new AudioTransformerOptions { Layers = 2, Heads = 4, Width = 256, FeedForward = 512, Positions = AudioPositions.Rotary, MaskPadding = true },
        CrossAttention = new CrossAttentionOptions { Heads = 4, HeadWidth = 48, FeedForwardMultiple = 2 },
        Language = new OptOptions { VocabularySize = 4103, HiddenSize = 192, Layers = 3, Heads = 4, FeedForward = 768, MaxPositions = 512 },
    };

    /// <summary>A toy of Audio Flamingo 1's shape, for tests and quick timings with synthetic weights.</summary>
    public static FlamingoConfig Tiny { get; } = new()
    {
        Name = "tiny",
        Windows = Mini.Windows with { OverlapSeconds = 2.55, RepeatShort = true },
        Encoder = Mini.Encoder with { EmbedDim = 16, Depths = [1, 1, 1], Heads = [2, 2, 4], ProjectionDim = 64, Output = HtsatOutput.Pooled },
        AudioTransformer = new AudioTransformerOptions { Layers = 1, Heads = 4, Width = 64, FeedForward = 128, MaxVectors = 32 },
        CrossAttention = new CrossAttentionOptions { Heads = 2, HeadWidth = 32 },
        Language = new OptOptions { VocabularySize = 4103, HiddenSize = 64, Layers = 2, Heads = 4, FeedForward = 128, MaxPositions = 512 },
    };

    /// <summary>The presets by the names that the command line takes.</summary>
    public static IReadOnlyDictionary<string, FlamingoConfig> Presets { get; } = new Dictionary<string, FlamingoConfig>(StringComparer.Ordinal)
    {
        ["af1-foundation"] = Af1Foundation,
        ["af1-chat"] = Af1Chat,
        ["af2-0.5b"] = Af2Small,
        ["af2-1.5b"] = Af2Medium,
        ["af2-3b"] = Af2,
        ["flamingo-mini"] = Mini,
        ["tiny"] = Tiny,
    };

    /// <summary>Finds a preset.</summary>
    /// <exception cref="FlamingoException">There is none of that name.</exception>
    public static FlamingoConfig Preset(string name) => Presets.TryGetValue(name, out var preset)
        ? preset
        : throw new FlamingoException(FlamingoErrorKind.Usage, $"There is no preset '{name}'. Known are {string.Join(", ", Presets.Keys)}.");

    /// <summary>The same model for sounds of more or fewer windows: 30 of Audio Flamingo 2 are the 5 minutes of its paper.</summary>
    /// <param name="windows">Windows of one sound at most.</param>
    /// <remarks>Weights do not depend on it where positions are rotary; a table of sines must have as many rows.</remarks>
    /// <exception cref="FlamingoException">The model has fewer positions, or the number is not positive.</exception>
    public FlamingoConfig WithMaxWindows(int windows)
    {
        var config = this with { Windows = Windows with { MaxWindows = windows } };
        config.Validate();
        return config;
    }
}
