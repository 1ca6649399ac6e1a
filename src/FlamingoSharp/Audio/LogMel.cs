using FlamingoSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace FlamingoSharp.Audio;

/// <summary>Computes log-mel spectrograms: 10·log10 of the power in each mel band.</summary>
/// <remarks>Shapes: n windows, s samples, f frames, b frequency bins, m mel bands. Safe to use from several threads.</remarks>
public sealed class LogMel : IDisposable
{
    private readonly DeviceConstant _window;
    private readonly DeviceConstant _bank;

    /// <summary>Prepares the window and the filters.</summary>
    /// <exception cref="FlamingoException">The bands do not fit the sample rate, or a size is not positive.</exception>
    public LogMel(MelOptions options)
    {
        Options = options;
        if (options.FftSize < 2 || options.Hop < 1 || options.Mels < 1)
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"A log-mel spectrogram needs a transform of at least 2 samples, a hop and a number of mel bands above 0, but got {options.FftSize}, {options.Hop} and {options.Mels}.");
        if (options.MinimumHz < 0 || options.MaximumHz <= options.MinimumHz || options.MaximumHz > options.SampleRate / 2.0)
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"The mel bands reach from {options.MinimumHz} to {options.MaximumHz} Hz but must rise within 0 and {options.SampleRate / 2.0} Hz, half the sample rate.");
        _window = new DeviceConstant(() => hann_window(options.FftSize, periodic: true, ScalarType.Float64));
        _bank = new DeviceConstant(() => tensor(LogMelBank.Weights(options), options.FftSize / 2 + 1, options.Mels));
    }

    /// <summary>The sizes in use.</summary>
    public MelOptions Options { get; }

    /// <summary>Computes the log-mel spectrogram of each window.</summary>
    /// <param name="audio">Mono samples in [-1, 1], float32 [n, s]; s above half the transform's size.</param>
    /// <returns>Decibels, float32 [n, f, m]; f = 1 + s / hop (integer division, centred frames, reflected edges).</returns>
    /// <exception cref="FlamingoException">There are too few samples to reflect.</exception>
    public Tensor Compute(Tensor audio)
    {
        if (audio.dim() != 2 || audio.shape[1] <= Options.FftSize / 2)
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"A log-mel spectrogram needs windows [n, samples] of more than {Options.FftSize / 2} samples, but got [{string.Join(", ", audio.shape)}].");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var window = _window.On(audio.device);
        var bank = _bank.On(audio.device);
        // One window at a time: a transform of 7 s then stays in the cache, and memory does not grow with the batch.
        var decibels = audio.unbind(0).Select(samples => Decibels(samples, window, bank)).ToArray();
        return stack(decibels).MoveToOuterDisposeScope();                                                   // [n, f, m]
    }

    private Tensor Decibels(Tensor samples, Tensor window, Tensor bank)
    {
        using var scope = NewDisposeScope();
        // In double: beside a loud band, single precision leaves the quiet ones wrong by more than the rest of the encoder is.
        var spectrum = samples.to_type(ScalarType.Float64).stft(Options.FftSize, Options.Hop, Options.FftSize, window,
            center: true, pad_mode: PaddingModes.Reflect, return_complex: true).transpose(0, 1);            // [f, b] complex
        using Tensor re = spectrum.real, im = spectrum.imag;
        var power = re.mul(re).AddInPlace(im.mul(im)).to_type(ScalarType.Float32);        // [f, b]
        return power.matmul(bank).RaiseInPlace(Options.Floor).log10_().MultiplyInPlace(10).MoveToOuterDisposeScope();    // [f, m]
    }

    /// <summary>Frees the window and the filters.</summary>
    public void Dispose()
    {
        _window.Dispose();
        _bank.Dispose();
    }
}
