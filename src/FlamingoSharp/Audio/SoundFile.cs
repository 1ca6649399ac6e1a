namespace FlamingoSharp.Audio;

/// <summary>
/// Loads sound from files of any common format, rate, depth and number of channels. WAV is read in-process, everything else through the
/// <c>ffmpeg</c> executable; which one is decided by the content, never by the name.
/// </summary>
/// <remarks>What is done to the samples on the way is described at <see cref="Recording"/> and <see cref="SoundOptions"/>.</remarks>
public static class SoundFile
{
    /// <summary>Loads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">Which part, at which rate; null takes the defaults.</param>
    /// <param name="cancellation">Stops reading, and the ffmpeg process.</param>
    /// <returns>One channel, peak-normalised, at the wanted rate.</returns>
    /// <exception cref="FlamingoException">
    /// The file is missing, empty, a folder, no sound, damaged, without samples, with samples that are no numbers, shorter than the start;
    /// or ffmpeg is needed and missing; or the options contradict themselves.
    /// </exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static Recording Load(string path, SoundOptions? options = null, CancellationToken cancellation = default)
    {
        using var file = OpenFile(path);
        return Load(file, file.CanSeek ? path : null, path, options ?? new SoundOptions(), cancellation);
    }

    /// <summary>Loads from a stream, from where it stands to its end.</summary>
    /// <param name="stream">May be unable to seek. It is not disposed.</param>
    /// <param name="name">What messages call it, e.g. the name of an uploaded file.</param>
    /// <inheritdoc cref="Load(string, SoundOptions?, CancellationToken)"/>
    /// <param name="options">Which part, at which rate; null takes the defaults.</param>
    /// <param name="cancellation">Stops reading, and the ffmpeg process.</param>
    /// <remarks>
    /// WAV is read as it comes, in bounded memory. Other formats, which ffmpeg may have to read back and forth, pass through a temporary file that
    /// is deleted at once.
    /// </remarks>
    public static Recording Load(Stream stream, string name, SoundOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Load(stream, path: null, name, options ?? new SoundOptions(), cancellation);
    }

    /// <summary>Opens a file to be read from front to back; the caller disposes the reader.</summary>
    /// <inheritdoc cref="Load(string, SoundOptions?, CancellationToken)"/>
    internal static (ISampleReader Reader, SoundFormat Format) Open(string path, string? ffmpegPath, CancellationToken cancellation)
    {
        var file = OpenFile(path);
        try
        {
            if (!file.CanSeek)
                throw Unusable($"'{path}' is a pipe, which cannot be read part by part; save it to a file first.");
            var (format, _) = Detect(file, path);
            if (format == SoundFormat.Wave)
            {
                file.Position = 0;
                return (WaveReader.Open(file, path), format);
            }
            file.Dispose();
            return (FfmpegReader.Open(path, path, format, ffmpegPath, cancellation), format);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static FileStream OpenFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
            throw Unusable($"'{path}' is a folder, not a sound file; name a file in it.");
        if (!File.Exists(path))
            throw Unusable($"'{path}' does not exist; check the path.");
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable($"'{path}' cannot be opened: {e.Message.TrimEnd('.')}.", e);
        }
    }

    private static (SoundFormat Format, byte[] Head) Detect(Stream stream, string name)
    {
        byte[] head = new byte[SoundFormat.HeadBytes];
        head = head[..stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        if (head.Length == 0)
            throw Unusable($"'{name}' is empty: 0 bytes.");
        var format = SoundFormat.Detect(head);
        if (format == SoundFormat.Text)
            throw Unusable($"'{name}' holds text (\"{SoundFormat.Excerpt(head)}\"), not sound; give a WAV, FLAC, Ogg, MP3 or another sound file.");
        return (format, head);
    }

    private static Recording Load(Stream stream, string? path, string name, SoundOptions options, CancellationToken cancellation)
    {
        options.Validate();
        try
        {
            var (format, head) = Detect(stream, name);
            var whole = Rewound(stream, head);
            if (format == SoundFormat.Wave)
                return SampleCollector.Collect(WaveReader.Open(whole, name), name, format, options, cancellation);
            if (path is not null)
                return Decode(path, name, format, options, cancellation);
            return DecodeCopy(whole, name, format, options, cancellation);
        }
        catch (IOException e)
        {
            throw Unusable($"'{name}' cannot be read: {e.Message.TrimEnd('.')}.", e);
        }
    }

    private static Recording Decode(string path, string name, SoundFormat format, SoundOptions options, CancellationToken cancellation)
    {
        using var reader = FfmpegReader.Open(path, name, format, options.FfmpegPath, cancellation);
        return SampleCollector.Collect(reader, name, format, options, cancellation);
    }

    private static Recording DecodeCopy(Stream stream, string name, SoundFormat format, SoundOptions options, CancellationToken cancellation)
    {
        string path = Path.Combine(Path.GetTempPath(), $"flamingo-{Guid.NewGuid():N}");
        try
        {
            using (var copy = new FileStream(path, FileMode.CreateNew, FileAccess.Write))
                stream.CopyToAsync(copy, cancellation).GetAwaiter().GetResult();
            return Decode(path, name, format, options, cancellation);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static Stream Rewound(Stream stream, byte[] head)
    {
        if (!stream.CanSeek)
            return new ReplayStream(head, stream);
        stream.Seek(-head.Length, SeekOrigin.Current);
        return stream;
    }

    private static FlamingoException Unusable(string message, Exception? inner = null) => new(FlamingoErrorKind.Input, message, inner);
}
