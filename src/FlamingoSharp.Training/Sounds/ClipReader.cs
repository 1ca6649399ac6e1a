using System.Globalization;
using System.Runtime.InteropServices;

namespace FlamingoSharp.Training.Sounds;

/// <summary>Decodes the files behind catalogue clips, many in one run: starting ffmpeg takes longer than decoding a short clip.</summary>
internal sealed class ClipReader(string audioFolder, string scratchFolder, int sampleRate)
{
    /// <summary>Decodes the used parts of clips, or their beginnings.</summary>
    /// <param name="clips">The clips.</param>
    /// <param name="maxSeconds">Longest wanted, in seconds.</param>
    /// <param name="ct">Stops the decoding.</param>
    /// <returns>Mono samples a clip, peak-normalised.</returns>
    /// <exception cref="FlamingoException">A file is missing or cannot be decoded; none is returned then.</exception>
    public float[][] Read(IReadOnlyList<Clip> clips, double maxSeconds, CancellationToken ct) =>
        ReadFiles([.. clips.Select(c => (PathOf(c), c.StartSeconds, Math.Min(c.UseSeconds ?? double.MaxValue, maxSeconds)))], ct);

    /// <summary>Decodes a stretch of a clip's file.</summary>
    public float[] Read(Clip clip, double startSeconds, double seconds, CancellationToken ct) =>
        ReadFile(PathOf(clip), startSeconds, seconds, ct);

    /// <summary>Decodes a stretch of any file.</summary>
    public float[] ReadFile(string path, double startSeconds, double seconds, CancellationToken ct) =>
        ReadFiles([(path, startSeconds, seconds)], ct)[0];

    private float[][] ReadFiles(IReadOnlyList<(string Path, double Start, double Seconds)> files, CancellationToken ct)
    {
        string name = Path.Combine(scratchFolder, Guid.NewGuid().ToString("N"));
        try
        {
            List<string> arguments = ["-nostdin", "-loglevel", "error"];
            foreach (var (path, start, seconds) in files)
            {
                if (!File.Exists(path))
                    throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}' does not exist.");
                arguments.AddRange(["-threads", "1", "-ss", Number(start), "-t", Number(seconds), "-i", path]);
            }
            for (int i = 0; i < files.Count; i++)
                arguments.AddRange(["-map", $"{i}:a:0", "-af", "pan=mono|c0=c0", "-ar", Number(sampleRate), "-f", "f32le", $"{name}.{i}"]);
            ExternalTool.Run("ffmpeg", "ffmpeg", arguments, ct);
            return [.. files.Select((_, i) => MemoryMarshal.Cast<byte, float>(File.ReadAllBytes($"{name}.{i}")).ToArray())];
        }
        finally
        {
            for (int i = 0; i < files.Count; i++)
                File.Delete($"{name}.{i}");
        }
    }

    private string PathOf(Clip clip) => Path.Combine(audioFolder, clip.Package, clip.Path);

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
