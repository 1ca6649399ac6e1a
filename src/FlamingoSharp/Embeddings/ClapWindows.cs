using FlamingoSharp.Audio;
using static TorchSharp.torch;

namespace FlamingoSharp.Embeddings;

/// <summary>
/// Cuts a recording for a CLAP model, always the same way: one window after the other from the start, the last one moved back to end with the
/// sound. (LAION's own code takes three crops of a long clip at random, so that it never gives the same embedding twice.)
/// </summary>
/// <remarks>As in the reference, samples go through 16-bit integers before anything else, and short sounds are repeated after that.</remarks>
internal sealed class ClapWindows
{
    private readonly float[] _samples;
    private readonly int _window;

    /// <param name="recording">At the encoder's rate.</param> <param name="config">How sounds are cut.</param>
    /// <exception cref="FlamingoException">The recording has another rate, or no samples.</exception>
    public ClapWindows(Recording recording, ClapConfig config)
    {
        if (recording.SampleRate != config.Audio.SampleRate)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{recording.Name}' is sampled at {recording.SampleRate} Hz but '{config.Name}' hears {config.Audio.SampleRate} Hz; load it with that rate.");
        if (recording.Samples.Length == 0)
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{recording.Name}' holds no audio: 0 samples.");
        _window = config.Audio.WindowSamples;
        int heard = (int)Math.Min(recording.Samples.Length, (long)config.MaxWindows * _window);
        _samples = new float[Math.Max(_window, heard)];
        AudioWindows.Quantize(recording.Samples.AsSpan(0, heard), _samples);
        if (heard < _window)
            Fill(_samples, heard, config.ShortSounds);
        Count = (_samples.Length + _window - 1) / _window;
        SecondsHeard = (double)heard / recording.SampleRate;
        SecondsDropped = recording.SecondsDropped + ((double)(recording.Samples.Length - heard) / recording.SampleRate);
    }

    /// <summary>Number of windows, at least 1.</summary>
    public int Count { get; }

    /// <summary>Seconds of the recording inside the windows.</summary>
    public double SecondsHeard { get; }

    /// <summary>Seconds of the file after them.</summary>
    public double SecondsDropped { get; }

    /// <summary>The samples of one window.</summary>
    public ReadOnlySpan<float> Window(int index) => _samples.AsSpan(Math.Min(index * _window, _samples.Length - _window), _window);

    /// <summary>Some windows.</summary>
    /// <returns>[count, samples], float32, on the CPU.</returns>
    public Tensor ToTensor(int first, int count)
    {
        float[] rows = new float[count * _window];
        for (int row = 0; row < count; row++)
            Window(first + row).CopyTo(rows.AsSpan(row * _window));
        return tensor(rows, [count, _window]);
    }

    private static void Fill(Span<float> window, int length, ShortSoundFill fill)
    {
        int end = fill switch
        {
            ShortSoundFill.Repeats => window.Length,
            ShortSoundFill.WholeRepeats => window.Length / length * length,
            _ => length,
        };
        for (int at = length; at < end; at += length)
            window[..Math.Min(length, end - at)].CopyTo(window[at..]);
    }
}
