using System.Globalization;
using System.Text;
using FlamingoSharp.Audio;

namespace FlamingoSharp.Explain;

/// <summary>Drawings over the seconds of a sound, all of one width, so that they lie above each other.</summary>
internal static class TimeDrawing
{
    private const int Width = 1000;

    /// <summary>The waveform: the least and largest sample of each column.</summary>
    /// <param name="recording">The recording.</param> <param name="seconds">Seconds that the drawing is wide.</param>
    public static string Waveform(Recording recording, double seconds)
    {
        const int Height = 90;
        var path = new StringBuilder("M");
        var back = new List<string>();
        double samples = seconds * recording.SampleRate;
        for (int x = 0; x < Width; x++)
        {
            int from = (int)(x * samples / Width), to = (int)((x + 1) * samples / Width);
            double low = 0, high = 0;
            for (int i = from; i < Math.Min(to, recording.Samples.Length); i++)
                (low, high) = (Math.Min(low, recording.Samples[i]), Math.Max(high, recording.Samples[i]));
            path.Append(CultureInfo.InvariantCulture, $"{x} {Y(high)} ");
            back.Add(string.Create(CultureInfo.InvariantCulture, $"{x} {Y(low)}"));
        }
        back.Reverse();
        path.AppendJoin(' ', back).Append('Z');
        return $"""<svg viewBox="0 0 {Width} {Height}" preserveAspectRatio="none" style="height:{Height}px" role="img" aria-label="Waveform"><path d="{path}" fill="#475467"/></svg>""";

        static double Y(double sample) => Math.Round((Height / 2.0) - (sample * ((Height / 2.0) - 2)), 1);
    }

    /// <summary>The windows under the spectrogram, overlapping ones in rows of their own, and the seconds.</summary>
    /// <param name="windows">Start and end of each, in seconds.</param> <param name="seconds">Seconds that the drawing is wide.</param>
    public static string Windows(IReadOnlyList<(double Start, double End)> windows, double seconds)
    {
        const int Bar = 12, Gap = 3;
        var rows = new List<double>(); // where each row is free again
        var bars = new StringBuilder();
        for (int i = 0; i < windows.Count; i++)
        {
            var (start, end) = windows[i];
            int row = rows.FindIndex(free => free <= start + 1e-6);
            if (row < 0)
            {
                row = rows.Count;
                rows.Add(0);
            }
            rows[row] = end;
            double x = X(start), width = Math.Max(1, X(Math.Min(end, seconds)) - x - 1);
            bars.Append(CultureInfo.InvariantCulture,
                $"""<rect x="{x:0.#}" y="{row * (Bar + Gap) + 4}" width="{width:0.#}" height="{Bar}" rx="2" fill="#fed7aa"/><text x="{x + 4:0.#}" y="{row * (Bar + Gap) + 14}" fill="#9a3412" font-size="10">{i + 1}</text>""");
        }
        int axis = (rows.Count * (Bar + Gap)) + 6;
        var ticks = new StringBuilder();
        double step = new[] { 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60 }.FirstOrDefault(s => seconds / s <= 12, 120);
        for (int k = 0; k * step <= seconds + 1e-9; k++)
        {
            double x = X(k * step);
            string anchor = k == 0 ? "start" : x > Width - 20 ? "end" : "middle";
            ticks.Append(CultureInfo.InvariantCulture, $"""<line x1="{x:0.#}" x2="{x:0.#}" y1="{axis}" y2="{axis + 5}"/><text x="{x:0.#}" y="{axis + 16}" text-anchor="{anchor}">{Math.Round(k * step, 2)} s</text>""");
        }
        return $"""<svg viewBox="0 0 {Width} {axis + 20}" role="img" aria-label="Windows"><g>{bars}</g><g class="axis">{ticks}</g></svg>""";

        double X(double second) => second / seconds * Width;
    }
}
