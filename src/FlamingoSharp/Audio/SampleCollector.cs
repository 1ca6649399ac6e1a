namespace FlamingoSharp.Audio;

/// <summary>Reads the wanted part of a sound into one channel, the way the reference chooses part, channel and scale.</summary>
/// <remarks>
/// Of every format but mp3 the first channel is taken, never a mix; where any channel exceeds 1, all are divided by the largest
/// magnitude in the part read. An mp3 goes through 16-bit integers, the floor of the channels' mean, and 1/32767 in single precision:
/// what pydub does. Not reproduced for mp3: pydub's linear interpolation between rates (the band-limited resampler is used instead)
/// and its order of resampling before mixing. Source: the load function of both models' data code.
/// </remarks>
internal static class SampleCollector
{
    private const int BlockFrames = 16384;

    public static Recording Collect(ISampleReader reader, string name, SoundFormat format, SoundOptions options, CancellationToken cancellation)
    {
        int rate = reader.SampleRate;
        Resampler.CheckRate(rate, name);
        bool mp3 = format == SoundFormat.Mp3;
        bool wholeThenCut = mp3 && options is { ReferenceReadLength: true, DurationSeconds: not null };

        long offset = wholeThenCut ? 0 : Frames(options.StartSeconds * rate);
        long wanted = options.DurationSeconds is not { } duration ? long.MaxValue
            : wholeThenCut ? Frames((options.StartSeconds + duration) * rate) + (rate / 500) // a little more shows whether the file is longer
            : Frames((options.ReferenceReadLength ? options.StartSeconds + duration : duration) * rate);
        if (wanted == 0)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"The duration of {options.DurationSeconds} s is shorter than one sample at {rate} Hz; ask for more of '{name}'.");

        bool reached = reader.Skip(offset, cancellation) == offset;
        var (samples, peak) = reached ? ReadChannel(reader, name, mp3, offset, wanted, cancellation) : ([], 0);
        long total = reader.CountFrames(cancellation);
        double fileSeconds = (double)total / rate;
        if (total == 0 || samples.Length == 0 || (wholeThenCut && options.StartSeconds >= fileSeconds))
            throw NothingLeft(name, fileSeconds, options.StartSeconds);

        if (wholeThenCut)
            (samples, offset) = CutByMilliseconds(samples, rate, options.StartSeconds, options.DurationSeconds!.Value);
        return Finish(reader, name, format, samples, peak, offset, options.SampleRate, cancellation) with
        {
            FileSeconds = fileSeconds,
            SecondsDropped = (double)Math.Max(0, total - offset - samples.Length) / rate,
        };
    }

    /// <summary>Reads on from where the reader stands, and makes of that part what loading it alone would; null at the end of the sound.</summary>
    /// <param name="reader">Stands at <paramref name="offset"/>.</param> <param name="name">What messages call the file.</param> <param name="format">What it is.</param>
    /// <param name="offset">Frames before the part.</param> <param name="wanted">Frames of the part; fewer are read only where the sound ends.</param>
    /// <param name="targetRate">Rate of the recording, in Hz.</param> <param name="cancellation">Stops reading.</param>
    /// <exception cref="FlamingoException">A sample is no number.</exception>
    public static Recording? CollectNext(
        ISampleReader reader, string name, SoundFormat format, long offset, long wanted, int targetRate, CancellationToken cancellation)
    {
        var (samples, peak) = ReadChannel(reader, name, format == SoundFormat.Mp3, offset, wanted, cancellation);
        return samples.Length == 0 ? null : Finish(reader, name, format, samples, peak, offset, targetRate, cancellation);
    }

    private static Recording Finish(
        ISampleReader reader, string name, SoundFormat format, double[] samples, double peak, long offset, int targetRate, CancellationToken cancellation)
    {
        int rate = reader.SampleRate, used = samples.Length;
        if (peak > 1)
        {
            foreach (ref double x in samples.AsSpan())
                x /= peak;
        }
        samples = Resampler.Resample(samples, rate, targetRate, cancellation);
        PeakNormalization.Apply(samples, single: format == SoundFormat.Mp3 && rate == targetRate);
        return new Recording(samples, targetRate)
        {
            Name = name,
            StartSeconds = (double)offset / rate,
            SecondsUsed = (double)used / rate,
            SourceRate = rate,
            SourceChannels = reader.Channels,
            Format = format.Name,
            Warnings = [.. reader.Warnings],
        };
    }

    internal static FlamingoException NothingLeft(string name, double fileSeconds, double start) => new(FlamingoErrorKind.Input, fileSeconds == 0
        ? $"'{name}' holds no audio: 0 samples."
        : $"'{name}' is {fileSeconds:0.###} s long, so nothing is left after a start at {start:0.###} s; choose an earlier start.");

    internal static FlamingoException NotFinite(string name, double value, double seconds, int channel) =>
        new(FlamingoErrorKind.Input, $"'{name}' holds a sample that is no finite number ({(double.IsNaN(value) ? "NaN" : "infinity")}) at {seconds:0.###} s in channel {channel + 1}; export the file again.");

    // Also the largest magnitude over all channels; 0 for an mp3, which is never rescaled before normalisation.
    private static (double[] Samples, double Peak) ReadChannel(
        ISampleReader reader, string name, bool mp3, long offset, long wanted, CancellationToken cancellation)
    {
        int channels = reader.Channels, count = 0;
        double[] block = new double[Math.Max(1, BlockFrames / channels) * channels];
        double[] signal = new double[Math.Min(Math.Min(wanted, reader.RemainingFrames ?? BlockFrames), Array.MaxLength)];
        double peak = 0;
        while (wanted > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            int frames = reader.Read(block.AsSpan(0, (int)Math.Min(block.Length, wanted * (double)channels)));
            if (frames == 0)
                break;
            if (count + (long)frames > Array.MaxLength)
                throw new FlamingoException(FlamingoErrorKind.Input, $"'{name}' is too long to be read at once; name a start and a duration.");
            var samples = block.AsSpan(0, frames * channels);
            for (int i = 0; i < samples.Length; i++)
            {
                double magnitude = Math.Abs(samples[i]);
                if (magnitude <= peak)
                    continue;
                if (!double.IsFinite(magnitude))
                    throw NotFinite(name, samples[i], (double)(offset + count + (i / channels)) / reader.SampleRate, i % channels);
                peak = magnitude;
            }
            if (count + frames > signal.Length)
                Array.Resize(ref signal, (int)Math.Min(Array.MaxLength, Math.Max(count + (long)frames, signal.Length * 2L)));
            var target = signal.AsSpan(count, frames);
            if (mp3)
                Mix(samples, channels, target);
            else
                for (int i = 0; i < target.Length; i++)
                    target[i] = samples[i * channels];
            count += frames;
            wanted -= frames;
        }
        if (count < signal.Length)
            Array.Resize(ref signal, count);
        return (signal, mp3 ? 0 : peak);
    }

    private static void Mix(ReadOnlySpan<double> samples, int channels, Span<double> target)
    {
        for (int i = 0; i < target.Length; i++)
        {
            double sum = 0;
            foreach (double x in samples.Slice(i * channels, channels))
                sum += x * 32768; // back to the 16-bit integers
            target[i] = (float)Math.Floor(sum / channels) / 32767f;
        }
    }

    // pydub's lengths and cuts are in milliseconds; a file that is not longer than start + duration is left whole.
    private static (double[] Samples, long Offset) CutByMilliseconds(double[] signal, int rate, double start, double duration)
    {
        double end = (start + duration) * 1000;
        if (Math.Round(1000.0 * signal.Length / rate) <= end)
            return (signal, 0);
        long first = Frames(start * 1000 * (rate / 1000.0)), last = Frames(end * (rate / 1000.0));
        return (signal[(int)Math.Min(first, signal.Length)..(int)Math.Min(last, signal.Length)], first);
    }

    // Truncates like Python's int(); a product beyond long is beyond every file.
    internal static long Frames(double value) => (long)Math.Min(value, 1L << 60);
}
