using System.Globalization;
using System.Text;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>A few-shot report as Markdown that also reads on a terminal.</summary>
internal static class FewShotMarkdown
{
    /// <summary>Two sentences and a table.</summary>
    public static string Of(FewShotReport report)
    {
        int labels = report.Labels.Count;
        string[][] rows =
        [
            ["before the question", "right label among them", "answer said is the label", $"likeliest of {labels} labels"],
            .. report.Rows.Select(r => new[]
            {
                r.Shots == 0 ? "no example" : $"{r.Shots} {r.Chosen} {(r.Shots == 1 ? "example" : "examples")}",
                r.Shots == 0 ? "" : Percent(r.LabelShown), Both(r.Generated), Both(r.Likeliest),
            }),
            .. report.Votes.Select(v => new[] { v.Neighbours == 1 ? "no model: the nearest sound" : $"no model: vote of the nearest {v.Neighbours}", "", "", Both(v.Score) }),
        ];
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(c => rows.Max(r => r[c].Length))];
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"{report.Model} on {report.Queries} sounds of {labels} labels ({report.Index}, neighbours by {report.Encoder}): accuracy, and macro recall in brackets.");
        text.AppendLine(CultureInfo.InvariantCulture,
            $"Guessing reaches {Percent(1.0 / labels)}; the standard error of an accuracy is at most {50 / Math.Sqrt(report.Queries):0.0} points. Asked: {Cell(report.Prompt)}");
        text.AppendLine();
        for (int i = 0; i < rows.Length; i++)
        {
            text.AppendLine($"| {string.Join(" | ", rows[i].Select((cell, c) => c == 0 ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c])))} |");
            if (i == 0)
                text.AppendLine($"|{string.Join('|', widths.Select((w, c) => c == 0 ? new string('-', w + 2) : new string('-', w + 1) + ":"))}|");
        }
        return text.ToString();
    }

    /// <summary>Writes the text to a file, which appears whole or not at all.</summary>
    public static void Write(string path, FewShotReport report) => AtomicFile.Write(path, file => file.Write(Encoding.UTF8.GetBytes(Of(report))));

    private static string Both(FewShotScore score) => $"{Percent(score.Accuracy)} ({Percent(score.MacroRecall)})";

    private static string Percent(double share) => share.ToString("0.0 %", CultureInfo.InvariantCulture);

    private static string Cell(string prompt) => "`" + prompt.Replace("\n", "\\n", StringComparison.Ordinal) + "`";
}
