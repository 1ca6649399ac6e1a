using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace FlamingoSharp.Audio;

/// <summary>What ffmpeg says on its error stream, read along so that it never waits; the first part is kept.</summary>
internal sealed partial class FfmpegLog : IDisposable
{
    private const int MostCharacters = 1 << 16;

    private readonly StreamReader _stream;
    private readonly List<string> _lines = [];
    private readonly TaskCompletionSource _inputDescribed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;

    public FfmpegLog(StreamReader stream)
    {
        _stream = stream;
        _reading = Task.Run(Read);
    }

    /// <summary>The length that the container tells, in seconds; null where it is unknown or a guess.</summary>
    /// <remarks>Waits until ffmpeg has described its input, which it does before the first sample.</remarks>
    public double? WaitForDuration()
    {
        _inputDescribed.Task.Wait();
        lock (_lines)
        {
            if (_lines.Exists(l => l.Contains("Estimating duration from bitrate", StringComparison.Ordinal)))
                return null;
            var match = _lines.Select(l => Duration().Match(l)).FirstOrDefault(m => m.Success);
            return match is null ? null
                : (Number(match, 1) * 3600) + (Number(match, 2) * 60) + Number(match, 3);
        }
    }

    /// <summary>Every error, without ffmpeg's prefixes. Waits for ffmpeg to end.</summary>
    public IReadOnlyList<string> Errors()
    {
        _reading.Wait();
        return [.. _lines.Where(l => ErrorPrefix().IsMatch(l)).Select(l => ErrorPrefix().Replace(l, "").Trim()).Where(l => l.Length > 0)];
    }

    public void Dispose()
    {
        _reading.Wait();
        _stream.Dispose();
    }

    private void Read()
    {
        var line = new StringBuilder();
        char[] block = new char[4096];
        int kept = 0;
        for (int got; (got = _stream.Read(block)) > 0;)
        {
            foreach (char c in block.AsSpan(0, Math.Min(got, MostCharacters - kept)))
            {
                if (c is '\n' or '\r')
                    Keep(line);
                else
                    line.Append(c);
                kept++;
            }
            if (kept == MostCharacters)
                _inputDescribed.TrySetResult(); // never seen in what is kept
        }
        Keep(line);
        _inputDescribed.TrySetResult();
    }

    private void Keep(StringBuilder line)
    {
        string text = line.ToString();
        line.Clear();
        lock (_lines)
            _lines.Add(text);
        if (text.StartsWith("[info] Output #0", StringComparison.Ordinal))
            _inputDescribed.TrySetResult();
    }

    private static double Number(Match match, int group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    // Indented by exactly two: a title that says the same stands deeper.
    [GeneratedRegex(@"^\[info\]   Duration: (\d+):(\d+):([\d.]+),")]
    private static partial Regex Duration();

    [GeneratedRegex(@"^(\[[^\]]*\] )*\[(error|fatal)\] ")]
    private static partial Regex ErrorPrefix();
}
