using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Output;

namespace FlamingoSharp.Cli.Segments;

/// <summary>The forms in which captions with times are written to a file.</summary>
internal abstract class TimedText
{
    private static readonly Dictionary<string, TimedText> s_byExtension = new(StringComparer.OrdinalIgnoreCase)
    {
        [".jsonl"] = new JsonLines(),
        [".srt"] = new SubRip(),
        [".vtt"] = new WebVtt(),
    };

    /// <summary>The form that a file's name asks for; null for any other name.</summary>
    public static TimedText? ForFile(string path) => s_byExtension.GetValueOrDefault(Path.GetExtension(path));

    /// <summary>What stands before the first caption.</summary>
    public virtual string Head => "";

    /// <summary>One caption.</summary>
    public abstract string Format(AnswerLine line);

    /// <summary>A time as hh:mm:ss, with decimals after a mark.</summary>
    public static string Time(double seconds, int decimals = 0, char mark = '.')
    {
        long units = (long)Math.Round(seconds * Math.Pow(10, decimals)), second = (long)Math.Pow(10, decimals);
        var (whole, part) = (units / second, units % second);
        string clock = string.Create(CultureInfo.InvariantCulture, $"{whole / 3600:00}:{whole / 60 % 60:00}:{whole % 60:00}");
        return decimals == 0 ? clock : clock + mark + part.ToString(CultureInfo.InvariantCulture).PadLeft(decimals, '0');
    }

    // A line break would end a caption.
    private static string OneLine(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private sealed class JsonLines : TimedText
    {
        public override string Format(AnswerLine line) => JsonSerializer.Serialize(line, CliJson.Lines.AnswerLine) + "\n";
    }

    private sealed class SubRip : TimedText
    {
        public override string Format(AnswerLine line) =>
            $"{line.Segment + 1}\n{Time(line.Start!.Value, 3, ',')} --> {Time(line.End!.Value, 3, ',')}\n{OneLine(line.Text)}\n\n";
    }

    private sealed class WebVtt : TimedText
    {
        public override string Head => "WEBVTT\n\n";

        public override string Format(AnswerLine line) =>
            $"{Time(line.Start!.Value, 3)} --> {Time(line.End!.Value, 3)}\n{Escape(OneLine(line.Text))}\n\n";

        private static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal)
            .Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);
    }
}
