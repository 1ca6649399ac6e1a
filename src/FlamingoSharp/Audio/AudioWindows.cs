using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace FlamingoSharp.Audio;

/// <summary>What the encoder hears: the windows of one or several recordings, after the reference's 16-bit step.</summary>
/// <remarks>
/// With <see cref="WindowOptions.PadToMaxWindows"/> (AF1) recording k owns rows [k*M, (k+1)*M): its windows, then silent ones; unused slots
/// are silent throughout. Without it (AF2) the rows are the windows of the recordings, one after the other.
/// </remarks>
public sealed class AudioWindows
{
    private readonly float[][] _signals; // of each recording, quantised, filled up to its plan
    private readonly (int Sound, int Window)[] _rows; // Sound is -1 for silence
    private readonly float[] _silence;

    private AudioWindows(WindowOptions options, IReadOnlyList<WindowPlan> plans, float[][] signals, double dropped)
    {
        _signals = signals;
        _silence = new float[options.WindowSamples];
        Plans = plans;
        WindowSamples = options.WindowSamples;
        SecondsHeard = plans.Sum(p => p.SecondsHeard);
        SecondsDropped = dropped;

        var rows = new List<(int, int)>();
        int slots = options.PadToMaxWindows ? options.Slots : plans.Count;
        for (int slot = 0; slot < slots; slot++)
        {
            int count = slot < plans.Count ? plans[slot].Count : 0;
            for (int window = 0; window < (options.PadToMaxWindows ? options.MaxWindows : count); window++)
                rows.Add(window < count ? (slot, window) : (-1, 0));
        }
        if (rows.Count == 0)
            rows.Add((-1, 0)); // no sound at all: one masked window
        _rows = [.. rows];
        Mask = [.. _rows.Select(r => r.Sound >= 0 ? 1f : 0f)];
        Valid = plans.Sum(p => p.Count);
    }

    /// <summary>The plan of each recording, in order.</summary>
    public IReadOnlyList<WindowPlan> Plans { get; }

    /// <summary>Windows with sound in them, over all recordings.</summary>
    public int Valid { get; }

    /// <summary>Windows in all, silent ones included.</summary>
    public int Rows => _rows.Length;

    /// <summary>Samples of one window.</summary>
    public int WindowSamples { get; }

    /// <summary>[rows]: 1 where a window belongs to a recording, 0 where it fills up.</summary>
    public IReadOnlyList<float> Mask { get; }

    /// <summary>Seconds of the recordings inside the windows.</summary>
    public double SecondsHeard { get; }

    /// <summary>Seconds of the files that are not heard: after the part that was read, and after the last window.</summary>
    public double SecondsDropped { get; }

    /// <summary>Cuts one recording.</summary>
    /// <inheritdoc cref="Cut(IReadOnlyList{Recording}, WindowOptions)"/>
    /// <param name="recording">What to cut.</param> <param name="options">How to cut.</param>
    public static AudioWindows Cut(Recording recording, WindowOptions options) => Cut([recording], options);

    /// <summary>Cuts the recordings of one prompt: the shots in order, the sound asked about last.</summary>
    /// <param name="recordings">What to cut; none at all gives silence with an empty mask.</param>
    /// <param name="options">How to cut.</param>
    /// <exception cref="FlamingoException">There are more recordings than slots, a recording has another rate, or the options contradict themselves.</exception>
    public static AudioWindows Cut(IReadOnlyList<Recording> recordings, WindowOptions options)
    {
        ArgumentNullException.ThrowIfNull(recordings);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (recordings.Count > options.Slots)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"The prompt holds {recordings.Count} sounds but this model has room for {options.Slots}; leave {recordings.Count - options.Slots} out.");

        var plans = new WindowPlan[recordings.Count];
        float[][] signals = new float[recordings.Count][];
        double dropped = 0;
        for (int i = 0; i < plans.Length; i++)
        {
            var recording = recordings[i];
            if (recording.SampleRate != options.SampleRate)
                throw new FlamingoException(FlamingoErrorKind.Usage, $"'{recording.Name}' is sampled at {recording.SampleRate} Hz but this encoder needs {options.SampleRate} Hz; load it with that rate.");
            plans[i] = WindowPlan.For(recording.Samples.Length, options);
            signals[i] = new float[plans[i].PaddedSamples];
            Quantize(recording.Samples.AsSpan(0, (int)Math.Min(recording.Samples.Length, plans[i].PaddedSamples)), signals[i]);
            if (options.RepeatShort && plans[i].Count == 1)
                Repeat(signals[i], recording.Samples.Length);
            dropped += recording.SecondsDropped + plans[i].SecondsDropped;
        }
        return new AudioWindows(options, plans, signals, dropped);
    }

    /// <summary>The samples of one window.</summary>
    public ReadOnlySpan<float> Window(int row)
    {
        var (sound, window) = _rows[row];
        return sound < 0 ? _silence : _signals[sound].AsSpan(window * Plans[sound].StepSamples, WindowSamples);
    }

    /// <summary>True for a window that only fills up: all zeros, so that its encoding can be shared.</summary>
    public bool IsSilence(int row) => _rows[row].Sound < 0;

    /// <summary>All windows.</summary>
    /// <returns>[rows, samples], float32, on the CPU.</returns>
    public Tensor ToTensor() => ToTensor(0, Rows);

    /// <summary>Some windows, so that a long recording is never there a second time as a whole.</summary>
    /// <param name="first">The first of them.</param> <param name="count">How many; no more than there are.</param>
    /// <returns>[count, samples], float32, on the CPU.</returns>
    public Tensor ToTensor(int first, int count)
    {
        using var scope = NewDisposeScope();
        var windows = zeros(count, WindowSamples); // [count, samples]
        for (int row = 0; row < count; row++)
        {
            if (!IsSilence(first + row))
                MemoryMarshal.AsBytes(Window(first + row)).CopyTo(windows[row].bytes);
        }
        return windows.MoveToOuterDisposeScope();
    }

    /// <summary>The mask as a tensor.</summary>
    /// <returns>[rows], float32, on the CPU.</returns>
    public Tensor MaskTensor() => tensor((float[])[.. Mask]);

    private static void Repeat(Span<float> window, int length)
    {
        for (int at = length; length > 0 && at < window.Length; at += length)
            window[..Math.Min(length, window.Length - at)].CopyTo(window[at..]);
    }

    /// <summary>The reference's round trip through 16-bit integers, which truncates toward zero.</summary>
    internal static void Quantize(ReadOnlySpan<double> signal, Span<float> target)
    {
        for (int i = 0; i < signal.Length; i++)
            target[i] = (float)((short)(Math.Clamp(signal[i], -1, 1) * 32767) / 32767.0);
    }
}
