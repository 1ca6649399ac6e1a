namespace FlamingoSharp.Audio;

/// <summary>Where the windows of one recording lie.</summary>
/// <remarks>Source: Audio Flamingo §3.1 (arXiv 2402.01831); the arithmetic is that of the reference's data code.</remarks>
public sealed record WindowPlan
{
    private WindowPlan()
    {
    }

    /// <summary>Windows, at least 1.</summary>
    public int Count { get; private init; }

    /// <summary>Samples of one window.</summary>
    public int WindowSamples { get; private init; }

    /// <summary>Samples from the start of one window to that of the next.</summary>
    public int StepSamples { get; private init; }

    /// <summary>Samples that the windows cover together; a shorter recording is filled up with zeros, a longer one is cut.</summary>
    public long PaddedSamples { get; private init; }

    /// <summary>Seconds of the recording inside the windows.</summary>
    public double SecondsHeard { get; private init; }

    /// <summary>Seconds of the recording after the last window.</summary>
    public double SecondsDropped { get; private init; }

    /// <summary>Plans the windows of a recording.</summary>
    /// <param name="samples">Its length, in samples at <see cref="WindowOptions.SampleRate"/>; 0 gives one window of silence.</param>
    /// <param name="options">How to cut.</param>
    /// <exception cref="FlamingoException">The options contradict themselves.</exception>
    public static WindowPlan For(long samples, WindowOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegative(samples);
        options.Validate();
        long length = options.WindowSamples, step = options.StepSamples;
        long most = length + ((options.MaxWindows - 1) * step);
        long count = samples <= length ? 1
            : samples >= most ? options.MaxWindows
            : 1 + ((samples - length + step - 1) / step);
        long padded = length + ((count - 1) * step);
        return new WindowPlan
        {
            Count = (int)count,
            WindowSamples = (int)length,
            StepSamples = (int)step,
            PaddedSamples = padded,
            SecondsHeard = (double)Math.Min(samples, padded) / options.SampleRate,
            SecondsDropped = (double)Math.Max(0, samples - padded) / options.SampleRate,
        };
    }

    /// <summary>Plans the windows of a recording at another rate than the options'.</summary>
    /// <inheritdoc cref="For(long, WindowOptions)"/>
    /// <param name="samples">Its length, in samples.</param> <param name="sampleRate">Its rate, in Hz.</param> <param name="options">How to cut.</param>
    public static WindowPlan For(long samples, int sampleRate, WindowOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return For(samples, options with { SampleRate = sampleRate });
    }
}
