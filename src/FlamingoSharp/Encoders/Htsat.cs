using FlamingoSharp.Audio;
using FlamingoSharp.Runtime;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace FlamingoSharp.Encoders;

/// <summary>The audio encoder: from windows of sound to the vectors that the language model attends to.</summary>
/// <remarks>
/// Shapes: n windows, s samples, f frames, m mel bands, t tokens, v vectors a window, c their width.<br/>
/// Its parameters carry the names that the published checkpoints have below <c>clap.</c>: <c>base.htsat.*</c> and <c>projection.*</c> in
/// Audio Flamingo 1, <c>nvclap.*</c> in 2 and in LAION-CLAP. They have no data until they are filled.
/// </remarks>
public sealed class Htsat : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "base")] private readonly ClapBase? _base;
    [ComponentName(Name = "nvclap")] private readonly HtsatTrunk? _bare;
    [ComponentName(Name = "projection")] private readonly ClapProjection? _projection;
    private readonly LogMel _logMel;

    /// <summary>Builds an encoder without data.</summary>
    /// <exception cref="FlamingoException">The sizes do not fit each other.</exception>
    public Htsat(HtsatOptions options)
        : base(nameof(Htsat))
    {
        options.Validate();
        Options = options;
        _logMel = new LogMel(options.Mel);
        if (options.Projects)
        {
            _base = new ClapBase(options);
            _projection = new ClapProjection(options.LatentDim, options.ProjectionDim, options.ProjectionDropout);
        }
        else
        {
            _bare = new HtsatTrunk(options);
        }
        RegisterComponents();
    }

    /// <summary>The sizes in use.</summary>
    public HtsatOptions Options { get; }

    /// <summary>What is blanked of spectrograms in training; null for nothing.</summary>
    internal SpecAugment? Augment
    {
        get => (_base?.Htsat ?? _bare!).Augment;
        set => (_base?.Htsat ?? _bare!).Augment = value;
    }

    /// <summary>Encodes windows of sound.</summary>
    /// <param name="audio">Samples in [-1, 1] at <see cref="HtsatOptions.SampleRate"/>, float32 [n, s].</param>
    /// <returns>[n, v, c]: one vector a window or a step of time, or all tokens, as <see cref="HtsatOptions.Output"/> says.</returns>
    /// <exception cref="FlamingoException">The windows do not have the length that the encoder was made for.</exception>
    public override Tensor forward(Tensor audio) => Encode(audio, null);

    /// <summary>The log-mel spectrogram that <see cref="ForwardLogMel(Tensor)"/> starts from; the same sound always gives the same one.</summary>
    /// <param name="audio">As <see cref="forward"/> takes it.</param>
    /// <returns>Decibels, float32 [n, f, m].</returns>
    /// <exception cref="FlamingoException">The windows do not have the length that the encoder was made for.</exception>
    public Tensor LogMel(Tensor audio)
    {
        if (audio.dim() != 2 || audio.shape[1] != Options.WindowSamples)
        {
            string found = audio.dim() == 2
                ? $"windows of {(double)audio.shape[1] / Options.SampleRate:0.###} s ({audio.shape[1]} samples)"
                : $"a tensor [{string.Join(", ", audio.shape)}]";
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"The encoder was given {found} but takes windows [n, samples] of {Options.WindowSeconds:0.###} s ({Options.WindowSamples} samples at {Options.SampleRate} Hz). Cut and pad the recording to that length first.");
        }
        using var scope = NewDisposeScope();
        return _logMel.Compute(Options.SixteenBit ? SixteenBit(audio) : audio).MoveToOuterDisposeScope();
    }

    /// <summary>Encodes log-mel spectrograms, so that training can compute them once and keep them.</summary>
    /// <param name="logMel">Decibels, [n, f, m]; fewer frames than the image holds are stretched.</param>
    /// <returns>[n, v, c]</returns>
    /// <exception cref="FlamingoException">The number of mel bands is not the encoder's, or there are too many frames.</exception>
    public Tensor ForwardLogMel(Tensor logMel) => ForwardLogMel(logMel, null);

    /// <summary>Encodes, and shows each intermediate result, with row-major tokens, under its name in the reference vectors.</summary>
    internal Tensor Encode(Tensor audio, Action<string, Tensor>? probe)
    {
        using var scope = NewDisposeScope();
        var logMel = LogMel(audio);
        probe?.Invoke("logmel", logMel);
        return ForwardLogMel(logMel, probe).MoveToOuterDisposeScope();
    }

    private Tensor ForwardLogMel(Tensor logMel, Action<string, Tensor>? probe)
    {
        if (logMel.dim() != 3 || logMel.shape[2] != Options.Mel.Mels || logMel.shape[1] < 1 || logMel.shape[1] > Options.ImageFrames)
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"The encoder takes log-mel spectrograms [n, 1 to {Options.ImageFrames} frames, {Options.Mel.Mels} mel bands], but was given [{string.Join(", ", logMel.shape)}].");
        using var scope = NewDisposeScope();
        var trunk = _base?.Htsat ?? _bare!;
        var tokens = trunk.Encode(logMel, probe);                                            // [n, t, c]
        if (probe is not null && Options.Classes > 0)
            probe("clipwise", trunk.Classify(tokens));
        if (Options.Output == HtsatOutput.Tokens)
        {
            var encodings = trunk.ToTimeFrequency(tokens);                                   // [n, t, c]
            probe?.Invoke("encodings", encodings);
            return encodings.MoveToOuterDisposeScope();
        }
        if (Options.Output == HtsatOutput.TimeSteps)
        {
            var steps = trunk.ToTimeFrequency(tokens).view(tokens.shape[0], -1, Options.TimeSteps, Options.LatentDim).mean([1]); // [n, v, latent]
            return _projection!.forward(steps).MoveToOuterDisposeScope();                    // [n, v, c]
        }
        var latent = tokens.mean([1]);                                                       // [n, latent]
        probe?.Invoke($"latent_{Options.LatentDim}", latent);
        if (_projection is null)
            return latent.unsqueeze(1).MoveToOuterDisposeScope();                            // [n, 1, latent]
        var embedding = _projection.forward(latent);                                         // [n, c]
        probe?.Invoke($"embedding_{Options.ProjectionDim}", embedding);
        return embedding.unsqueeze(1).MoveToOuterDisposeScope();                             // [n, 1, c]
    }

    // Sound that has come through 16-bit integers once is not always a fixed point: k / 32767 * 32767 may fall just below k.
    private static Tensor SixteenBit(Tensor audio)
    {
        using var scope = NewDisposeScope();
        return audio.to_type(ScalarType.Float32).Within(-1, 1).MultiplyInPlace(32767).trunc_().DivideInPlace(32767).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _logMel.Dispose();
        base.Dispose(disposing);
    }
}
