using System.Numerics;
using FlamingoSharp.Audio;

namespace FlamingoSharp.Encoders;

/// <summary>What an HTSAT encoder gives for each window.</summary>
public enum HtsatOutput
{
    /// <summary>One vector: the mean of the tokens, projected (Audio Flamingo 1).</summary>
    Pooled,

    /// <summary>Every token of the last stage, by frequency, then time (Audio Flamingo 2).</summary>
    Tokens,

    /// <summary>One projected vector for each step of time: the mean of the tokens at that time (flamingo-mini).</summary>
    TimeSteps,

    /// <summary>One vector: the mean of the tokens as it is (LAION-CLAP, which projects it outside of the encoder).</summary>
    Latent,
}

/// <summary>An HTSAT audio encoder. Defaults: ClapCap, the encoder of Audio Flamingo 1.</summary>
public sealed record HtsatOptions
{
    /// <summary>AF-CLAP, the encoder of Audio Flamingo 2: HTSAT-large on windows of 10 s, all 64 tokens of a window.</summary>
    public static HtsatOptions AfClap { get; } = new()
    {
        SampleRate = 16000,
        WindowSeconds = 10,
        SixteenBit = true,
        Mel = new MelOptions { SampleRate = 16000, Hop = 160, MaximumHz = 8000, Scale = MelScale.Htk },
        EmbedDim = 256,
        Depths = [2, 2, 12, 2],
        Fusion = true,
        Output = HtsatOutput.Tokens,
    };

    /// <summary>The audio branch of LAION-CLAP: HTSAT-tiny with fusion on windows of 10 s at 48 kHz (630k-audioset-fusion-best).</summary>
    public static HtsatOptions LaionClap { get; } = new()
    {
        SampleRate = 48000,
        WindowSeconds = 10,
        Mel = new MelOptions { SampleRate = 48000, Hop = 480, Scale = MelScale.Htk },
        Fusion = true,
        Output = HtsatOutput.Latent,
    };

    /// <summary>Rate in Hz of the sound that is given.</summary>
    public int SampleRate { get; init; } = 44100;

    /// <summary>Length of one window of sound, in seconds.</summary>
    public double WindowSeconds { get; init; } = 7.0;

    /// <summary>True takes the sound through 16-bit integers before anything else, as AF-CLAP does: truncated toward zero, in single precision.</summary>
    public bool SixteenBit { get; init; }

    /// <summary>The front end.</summary>
    public MelOptions Mel { get; init; } = new();

    /// <summary>Side in pixels of the square image that the spectrogram is folded into; a power of two, a multiple of the mel bands.</summary>
    public int ImageSize { get; init; } = 256;

    /// <summary>Side of a patch, in pixels; one patch is one token of the first stage.</summary>
    public int PatchSize { get; init; } = 4;

    /// <summary>Width of the first stage; each later one is twice as wide.</summary>
    public int EmbedDim { get; init; } = 96;

    /// <summary>Blocks in each stage.</summary>
    public IReadOnlyList<int> Depths { get; init; } = [2, 2, 6, 2];

    /// <summary>Attention heads in each stage.</summary>
    public IReadOnlyList<int> Heads { get; init; } = [4, 8, 16, 32];

    /// <summary>Side of an attention window, in tokens; a power of two.</summary>
    public int WindowSize { get; init; } = 8;

    /// <summary>Width of a block's inner layer, in widths of the block.</summary>
    public double MlpRatio { get; init; } = 4;

    /// <summary>Classes of the AudioSet head; 0 leaves the head out.</summary>
    public int Classes { get; init; } = 527;

    /// <summary>
    /// True for an encoder with the weights that CLAP has for joining crops of clips longer than its window. The windows here are never
    /// longer, so they run in training alone, where the reference treats one window of a batch as if it were.
    /// </summary>
    public bool Fusion { get; init; }

    /// <summary>What leaves the encoder.</summary>
    public HtsatOutput Output { get; init; } = HtsatOutput.Pooled;

    /// <summary>Width of the projected vectors; not used where <see cref="Projects"/> is false.</summary>
    public int ProjectionDim { get; init; } = 1024;

    /// <summary>In training: the chance that the last block's branches are skipped for a window; it rises linearly from 0.</summary>
    public double DropPath { get; init; } = 0.1;

    /// <summary>In training: the share of the projection's features that is dropped.</summary>
    public double ProjectionDropout { get; init; } = 0.5;

    /// <summary>Samples in one window of sound.</summary>
    public int WindowSamples => (int)(WindowSeconds * SampleRate);

    /// <summary>Pieces of time that are stacked into one image.</summary>
    public int Chunks => ImageSize / Mel.Mels;

    /// <summary>Frames that fill the image.</summary>
    public int ImageFrames => ImageSize * Chunks;

    /// <summary>Number of stages.</summary>
    public int Stages => Depths.Count;

    /// <summary>Side of a stage's grid, in tokens.</summary>
    public int Resolution(int stage) => ImageSize / PatchSize >> stage;

    /// <summary>Width of a stage.</summary>
    public int Width(int stage) => EmbedDim << stage;

    /// <summary>Width of the tokens that leave the last stage.</summary>
    public int LatentDim => Width(Stages - 1);

    /// <summary>Steps of time that the last stage tells apart.</summary>
    public int TimeSteps => Resolution(Stages - 1) * Chunks;

    /// <summary>Windows to encode together, so that what is alive meanwhile stays near 200 MB and small encoders still have enough to do.</summary>
    internal int WindowsAtOnce => Math.Max(1, 2_000_000 / (Resolution(0) * Resolution(0) * EmbedDim));

    /// <summary>Vectors that the encoder gives for each window of sound.</summary>
    public int OutputTokens => Output switch
    {
        HtsatOutput.Pooled or HtsatOutput.Latent => 1,
        HtsatOutput.TimeSteps => TimeSteps,
        _ => Resolution(Stages - 1) * Resolution(Stages - 1),
    };

    /// <summary>Width of the vectors that the encoder gives.</summary>
    public int OutputDim => Projects ? ProjectionDim : LatentDim;

    /// <summary>True where the vectors are projected before they leave.</summary>
    public bool Projects => Output is HtsatOutput.Pooled or HtsatOutput.TimeSteps;

    /// <summary>Checks that the sizes fit each other.</summary>
    /// <exception cref="FlamingoException">They do not.</exception>
    public void Validate()
    {
        Require(Depths.Count > 0 && Depths.Count == Heads.Count,
            $"there are {Depths.Count} stages of blocks and {Heads.Count} of heads; give one number of each a stage");
        Require(BitOperations.IsPow2(ImageSize) && BitOperations.IsPow2(PatchSize) && BitOperations.IsPow2(WindowSize),
            $"the image ({ImageSize}), patch ({PatchSize}) and window ({WindowSize}) sizes must be powers of two");
        Require(Mel.Mels > 0 && ImageSize % Mel.Mels == 0 && Mel.Mels % PatchSize == 0,
            $"{Mel.Mels} mel bands cannot be folded into an image of {ImageSize} pixels in patches of {PatchSize}");
        Require(Resolution(Stages - 1) >= 1, $"an image of {ImageSize} pixels is too small for {Stages} stages of {PatchSize} pixel patches");
        for (int i = 0; i < Stages; i++)
            Require(Heads[i] > 0 && Width(i) % Heads[i] == 0, $"{Heads[i]} heads do not divide the width {Width(i)} of stage {i}");
        int frames = Mel.Frames(WindowSamples);
        Require(frames <= ImageFrames,
            $"a window of {WindowSeconds} s gives {frames} frames, but the image holds {ImageFrames}; shorten the window or lengthen the hop");
    }

    private static void Require(bool condition, string problem)
    {
        if (!condition)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"The HTSAT options do not fit together: {problem}.");
    }
}
