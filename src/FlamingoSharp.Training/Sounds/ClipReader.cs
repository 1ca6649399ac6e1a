using System.Globalization;
using FlamingoSharp.Audio;

namespace FlamingoSharp.Training.Sounds;

/// <summary>Reads many sound files at once, as <see cref="SoundFile"/> reads each.</summary>
/// <remarks>
/// Starting ffmpeg takes longer than decoding a short clip, so one run turns all compressed files of a batch into WAV files (their own
/// rate and channels, samples unchanged), which are then read in-process. An mp3 is left to <see cref="SoundFile"/>, which mixes it down.
/// </remarks>
internal sealed class ClipReader(string audioFolder, string scratchFolder, int sampleRate)
{
    // Shows whether a file goes on after what is read of it.
    private const double SecondsBeyond = 0.1;

    /// <summary>A stretch of a file.</summary>
    private readonly record struct Stretch(string Path, double StartSeconds, double Seconds);

    /// <summary>Reads the used parts of clips, or their beginnings.</summary>
    /// <param name="clips">The clips.</param>
    /// <param name="maxSeconds">Longest wanted, in seconds.</param>
    /// <param name="ct">Stops the reading.</param>
    /// <exception cref="FlamingoException">A file is missing or cannot be decoded; none is returned then.</exception>
    public Recording[] Read(IReadOnlyList<Clip> clips, double maxSeconds, CancellationToken ct) =>
        Read([.. clips.Select(c => new Stretch(PathOf(c), c.StartSeconds, Math.Min(c.UseSeconds ?? double.MaxValue, maxSeconds)))], ct);

    /// <summary>Reads a stretch of a clip's file.</summary>
    public Recording Read(Clip clip, double startSeconds, double seconds, CancellationToken ct) =>
        Read([new(PathOf(clip), startSeconds, seconds)], ct)[0];

    /// <summary>Reads the beginning of any file.</summary>
    public Recording Read(string path, double seconds, CancellationToken ct) => Read([new(path, 0, seconds)], ct)[0];

    private Recording[] Read(Stretch[] stretches, CancellationToken ct)
    {
        int[] compressed = [.. Enumerable.Range(0, stretches.Length).Where(i => IsCompressed(stretches[i].Path))];
        if (compressed.Length < 2)
            return [.. stretches.Select(s => Load(s, ct))];

        string name = Path.Combine(scratchFolder, Guid.NewGuid().ToString("N"));
        string WavePath(int i) => $"{name}.{i}.wav";
        try
        {
            ExternalTool.Run("ffmpeg", "ffmpeg", Arguments(compressed.Select(i => (stretches[i], WavePath(i)))), ct);
            foreach (int i in compressed)
                stretches[i] = new(WavePath(i), 0, stretches[i].Seconds);
            return [.. stretches.Select(s => Load(s, ct))];
        }
        finally
        {
            foreach (int i in compressed)
                File.Delete(WavePath(i));
        }
    }

    private Recording Load(Stretch part, CancellationToken ct) => SoundFile.Load(
        part.Path, new() { SampleRate = sampleRate, StartSeconds = part.StartSeconds, DurationSeconds = part.Seconds }, ct);

    private static List<string> Arguments(IEnumerable<(Stretch From, string To)> files)
    {
        List<string> inputs = ["-nostdin", "-loglevel", "error"], outputs = [];
        int count = 0;
        foreach (var (from, to) in files)
        {
            // Seeking to 0 is not the same as not seeking: it loses the whole of some very short FLAC files.
            if (from.StartSeconds > 0)
                inputs.AddRange(["-ss", Number(from.StartSeconds)]);
            inputs.AddRange(["-threads", "1", "-t", Number(from.Seconds + SecondsBeyond), "-i", "file:" + Path.GetFullPath(from.Path)]);
            outputs.AddRange(["-map", $"{count++}:a:0", "-map_metadata", "-1", "-c:a", "pcm_f32le", "-f", "wav", to]);
        }
        return [.. inputs, .. outputs];
    }

    private static bool IsCompressed(string path)
    {
        if (!File.Exists(path))
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}' does not exist: unpack its package first.");
        using var file = File.OpenRead(path);
        byte[] head = new byte[SoundFormat.HeadBytes];
        var format = SoundFormat.Detect(head.AsSpan(0, file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)));
        return format != SoundFormat.Wave && format != SoundFormat.Mp3;
    }

    private string PathOf(Clip clip) => Path.Combine(audioFolder, clip.Package, clip.Path);

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
