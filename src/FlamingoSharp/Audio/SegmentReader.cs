namespace FlamingoSharp.Audio;

/// <summary>Reads a sound of any length segment by segment, each as if it were loaded alone, in memory for one.</summary>
internal sealed class SegmentReader : IDisposable
{
    private readonly string _path;
    private readonly SegmentOptions _options;
    private readonly int _targetRate;
    private readonly ISampleReader _reader;
    private readonly SoundFormat _format;
    private long _position; // frames
    private int _next;

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param> <param name="options">Valid ones.</param> <param name="targetRate">Rate of the recordings, in Hz.</param>
    /// <param name="cancellation">Stops the ffmpeg process.</param>
    /// <exception cref="FlamingoException">The file is missing, empty, or no sound.</exception>
    public SegmentReader(string path, SegmentOptions options, int targetRate, CancellationToken cancellation)
    {
        (_path, _options, _targetRate, _next) = (path, options, targetRate, options.First);
        (_reader, _format) = SoundFile.Open(path, options.FfmpegPath, cancellation);
        try
        {
            Resampler.CheckRate(_reader.SampleRate, path);
        }
        catch
        {
            _reader.Dispose();
            throw;
        }
    }

    /// <summary>Reads the next segment; null after the last.</summary>
    /// <exception cref="FlamingoException">There is no sound at all where the first one begins, or a sample is no number.</exception>
    public (int Index, Recording Recording)? Next(CancellationToken cancellation)
    {
        double rate = _reader.SampleRate;
        long offset = SampleCollector.Frames((_options.StartSeconds + (_next * _options.Seconds)) * rate);
        long end = _options.DurationSeconds is { } duration ? SampleCollector.Frames((_options.StartSeconds + duration) * rate) : long.MaxValue;
        long wanted = Math.Min(SampleCollector.Frames(_options.Seconds * rate), end - offset);
        try
        {
            if (wanted <= 0)
                return null;
            bool reached = _reader.Skip(offset - _position, cancellation) == offset - _position;
            var recording = reached ? SampleCollector.CollectNext(_reader, _path, _format, offset, wanted, _targetRate, cancellation) : null;
            if (recording is null)
                return _next == 0 ? throw Nothing(cancellation) : null;
            _position = offset + (long)Math.Round(recording.SecondsUsed * rate);
            bool rest = _next > 0 && recording.SecondsUsed < Math.Min(_options.Seconds, SegmentOptions.ShortestSeconds);
            return rest ? null : (_next++, recording);
        }
        catch (IOException e)
        {
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{_path}' cannot be read: {e.Message.TrimEnd('.')}.", e);
        }
    }

    public void Dispose() => _reader.Dispose();

    private FlamingoException Nothing(CancellationToken cancellation) =>
        SampleCollector.NothingLeft(_path, (double)_reader.CountFrames(cancellation) / _reader.SampleRate, _options.StartSeconds);
}
