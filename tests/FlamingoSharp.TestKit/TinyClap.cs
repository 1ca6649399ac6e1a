using FlamingoSharp.Embeddings;
using FlamingoSharp.Encoders;
using FlamingoSharp.Text;
using FlamingoSharp.Weights;

namespace FlamingoSharp.TestKit;

/// <summary>A complete folder of a CLAP model with synthetic weights; what it finds alike means nothing but is always the same.</summary>
public sealed class TinyClap : IDisposable
{
    /// <summary>One second a window, at the rate of <see cref="TinyModel"/>; 24 dimensions.</summary>
    public static ClapConfig Config { get; } = new()
    {
        Name = "tiny-clap",
        Audio = TinyModel.Config.Encoder with { Output = HtsatOutput.TimeSteps },
        Loudest = true,
        Text = new TextTowerOptions
        {
            VocabularySize = 4100,
            Width = 32,
            Layers = 2,
            Heads = 2,
            FeedForward = 48,
            Positions = 18,
            MaxTokens = 16,
            Pooling = TextPooling.Mean,
        },
        Dimensions = 24,
        ShortSounds = ShortSoundFill.Silence,
        MaxWindows = 4,
    };

    /// <summary>Writes the folder.</summary>
    /// <param name="config">Its form; null takes <see cref="Config"/>.</param>
    public TinyClap(ClapConfig? config = null)
    {
        NativeRuntimeStart.Load();
        config ??= Config;
        Folder = Directory.CreateTempSubdirectory("flamingo-clap-").FullName;
        using var weights = Weights(config);
        ClapModel.WriteInto(Folder, config, config.Text is null ? null : Tokenizer, weights);
    }

    /// <summary>Where it is.</summary>
    public string Folder { get; }

    /// <summary>That of flamingo-mini.</summary>
    public static Tokenizer Tokenizer => Tokenizer.Load(Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini"));

    /// <summary>Synthetic weights of a configuration.</summary>
    public static IWeightSource Weights(ClapConfig config)
    {
        using var towers = config.Build();
        return new SyntheticCheckpoint("a tiny CLAP", [.. ModuleWeights.Describe(towers).Select(w => SyntheticTensor.For(w.Name, w.Shape, "clap/"))]);
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
