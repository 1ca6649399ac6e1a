using FlamingoSharp.Audio;
using FlamingoSharp.Encoders;
using FlamingoSharp.Models;
using FlamingoSharp.Text;
using FlamingoSharp.Weights;

namespace FlamingoSharp.TestKit;

/// <summary>A complete model folder of a few hundred kilobytes with synthetic weights; what it says means nothing but is always the same.</summary>
public sealed class TinyModel : IDisposable
{
    /// <summary>One second a window, four windows a sound, two sounds a prompt.</summary>
    public static FlamingoConfig Config { get; } = new()
    {
        Name = "tiny-test",
        Windows = new WindowOptions { SampleRate = 16000, LengthSeconds = 1, OverlapSeconds = 0.5, MaxWindows = 4, Slots = 2 },
        Encoder = new HtsatOptions
        {
            SampleRate = 16000,
            WindowSeconds = 1,
            Mel = new MelOptions { SampleRate = 16000, FftSize = 512, Hop = 256, Mels = 16, MaximumHz = 8000 },
            ImageSize = 32,
            EmbedDim = 16,
            Depths = [1, 2],
            Heads = [2, 2],
            WindowSize = 4,
            Classes = 0,
            ProjectionDim = 32,
        },
        AudioTransformer = new AudioTransformerOptions { Layers = 1, Heads = 2, Width = 32, FeedForward = 64, MaxVectors = 8 },
        CrossAttention = new CrossAttentionOptions { Heads = 2, HeadWidth = 16 },
        Language = new OptOptions { VocabularySize = 4103, HiddenSize = 32, Layers = 2, Heads = 2, FeedForward = 64, MaxPositions = 256 },
    };

    /// <summary>The same in the form of Audio Flamingo 2: four vectors a window, rotary positions, no filling, Qwen2.</summary>
    public static FlamingoConfig Config2 { get; } = Config with
    {
        Name = "tiny-test-2",
        Windows = Config.Windows with { OverlapSeconds = 0, Slots = 1, PadToMaxWindows = false },
        Encoder = Config.Encoder with { SixteenBit = true, Fusion = true, Output = HtsatOutput.Tokens },
        AudioTransformer = Config.AudioTransformer with { Heads = 1, Positions = AudioPositions.Rotary, MaskPadding = true, MaxVectors = 0 },
        FewShotMask = false,
        Language = new Qwen2Options { VocabularySize = 4103, HiddenSize = 32, Layers = 2, Heads = 4, FeedForward = 64, MaxPositions = 256 },
        PromptFormatName = PromptFormat.Af2.Name,
    };

    /// <summary>Writes the folder.</summary>
    /// <param name="config">Its form; null takes <see cref="Config"/>.</param>
    public TinyModel(FlamingoConfig? config = null)
    {
        config ??= Config;
        Folder = Directory.CreateTempSubdirectory("flamingo-tiny-").FullName;
        File.WriteAllText(Path.Combine(Folder, "config.json"), config.ToJson());
        string tokenizer = Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini", "tokenizer.json");
        File.Copy(tokenizer, Path.Combine(Folder, "tokenizer.json"));
        using var model = config.Build(soundToken: 0);
        using var weights = new SyntheticCheckpoint(
            "a tiny model", [.. ModuleWeights.Describe(model).Select(w => SyntheticTensor.For(w.Name, w.Shape, "tiny/"))]);
        SafeTensorsWriter.WriteFolder(Folder, weights);
    }

    /// <summary>Where it is.</summary>
    public string Folder { get; }

    /// <summary>A recording that differs from those of other seeds, at the model's rate.</summary>
    /// <param name="seed">Which.</param> <param name="seconds">How long.</param>
    public static Recording Recording(int seed, double seconds = 1.7)
    {
        var random = new Random(seed);
        double pitch = 100 + 3000 * random.NextDouble();
        float[] samples = new float[(int)(seconds * Config.Windows.SampleRate)];
        for (int i = 0; i < samples.Length; i++)
            samples[i] = (float)(Math.Sin(2 * Math.PI * pitch * i / Config.Windows.SampleRate) + 0.3 * random.NextDouble());
        return Audio.Recording.FromSamples(samples, Config.Windows.SampleRate, Config.Windows.SampleRate, $"sound {seed}");
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
