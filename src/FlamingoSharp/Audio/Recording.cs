namespace FlamingoSharp.Audio;

/// <summary>One channel of sound in memory, at the rate a model wants, with its loudest sample at exactly 1 or -1.</summary>
/// <param name="Samples">Peak-normalised samples in [-1, 1]; digital silence is all zeros.</param>
/// <param name="SampleRate">Samples per second, in Hz.</param>
public sealed record Recording(double[] Samples, int SampleRate)
{
    /// <summary>What messages call it: the file's path, or the name given with a stream.</summary>
    public string Name { get; init; } = "";

    /// <summary>Length of the whole file, in seconds; 0 for a segment, which is read before the end is known.</summary>
    public double FileSeconds { get; init; }

    /// <summary>Where in the file this begins, in seconds.</summary>
    public double StartSeconds { get; init; }

    /// <summary>Seconds of the file that are in <see cref="Samples"/>.</summary>
    public double SecondsUsed { get; init; }

    /// <summary>Seconds of the file after the part that was read: they are not heard.</summary>
    public double SecondsDropped { get; init; }

    /// <summary>Rate of the file, in Hz; resampled where it differs from <see cref="SampleRate"/>.</summary>
    public int SourceRate { get; init; }

    /// <summary>Channels of the file. The first one is used; only an mp3 is mixed down, as in the reference.</summary>
    public int SourceChannels { get; init; }

    /// <summary>What the file's content is, e.g. <c>WAV</c> or <c>FLAC</c>, whatever its name says.</summary>
    public string Format { get; init; } = "";

    /// <summary>Defects that were read around, one sentence each, e.g. a file that ends before its declared length.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>What was found and what was done to it, for a log: <c>WAV, 48000 Hz, 2 channels, 12.3 s: first channel used, resampled to 44100 Hz</c>.</summary>
    public string Describe()
    {
        var done = new List<string>();
        if (SourceChannels > 1)
            done.Add(Format == SoundFormat.Mp3.Name ? "channels mixed down" : "first channel used");
        if (SourceRate != SampleRate)
            done.Add($"resampled to {SampleRate} Hz");
        string found = $"{Format}, {SourceRate} Hz, {SourceChannels} channel{(SourceChannels == 1 ? "" : "s")}";
        if (FileSeconds > 0)
            found += $", {FileSeconds:0.###} s";
        return done.Count == 0 ? found : $"{found}: {string.Join(", ", done)}";
    }

    /// <summary>Takes mono samples that are already in memory through the same resampling and normalisation as a file's.</summary>
    /// <param name="samples">Mono samples of any scale.</param>
    /// <param name="sampleRate">Their rate, in Hz.</param>
    /// <param name="targetRate">The rate wanted, in Hz.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="cancellation">Stops the resampling.</param>
    /// <exception cref="FlamingoException">There are no samples, one is not finite, or a rate is out of range.</exception>
    public static Recording FromSamples(
        ReadOnlySpan<float> samples, int sampleRate, int targetRate = 44100, string name = "samples", CancellationToken cancellation = default)
    {
        Resampler.CheckRate(sampleRate, name);
        if (samples.IsEmpty)
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{name}' holds no audio: 0 samples.");
        double[] signal = new double[samples.Length];
        for (int i = 0; i < signal.Length; i++)
        {
            signal[i] = float.IsFinite(samples[i])
                ? samples[i]
                : throw SampleCollector.NotFinite(name, samples[i], (double)i / sampleRate, channel: 0);
        }
        double[] resampled = Resampler.Resample(signal, sampleRate, targetRate, cancellation);
        PeakNormalization.Apply(resampled);
        double seconds = (double)samples.Length / sampleRate;
        return new Recording(resampled, targetRate)
        {
            Name = name,
            FileSeconds = seconds,
            SecondsUsed = seconds,
            SourceRate = sampleRate,
            SourceChannels = 1,
            Format = "samples",
        };
    }
}
