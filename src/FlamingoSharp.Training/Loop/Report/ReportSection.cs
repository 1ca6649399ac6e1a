using System.Globalization;
using System.Net;
using System.Text;
using FlamingoSharp.Explain;

namespace FlamingoSharp.Training;

/// <summary>An answer of the model, to be shown beside the sound's spectrogram.</summary>
/// <param name="Sound">Its name.</param> <param name="Prompt">What was asked.</param> <param name="Expected">What should have been said.</param>
/// <param name="Answer">What was said.</param> <param name="IsRight">Null where that is not a matter of yes or no.</param>
/// <param name="Spectrogram">PNG, as of <see cref="SpectrogramImage"/>; null shows none.</param>
internal sealed record ReportedAnswer(string Sound, string Prompt, string Expected, string Answer, bool? IsRight = null, byte[]? Spectrogram = null);

/// <summary>A part of a report under a heading. What is added is text, never markup.</summary>
internal sealed class ReportSection(string title)
{
    private readonly StringBuilder _html = new();

    /// <summary>The heading.</summary>
    public string Title => title;

    /// <summary>What stands under it.</summary>
    internal string Html => _html.ToString();

    /// <summary>Adds a sentence or two.</summary>
    public ReportSection Text(string text)
    {
        _html.Append($"<p>{Encode(text)}</p>\n");
        return this;
    }

    /// <summary>Adds lines that are shown as they are.</summary>
    public ReportSection Code(string text)
    {
        _html.Append($"<pre>{Encode(text)}</pre>\n");
        return this;
    }

    /// <summary>Adds a table; columns of numbers stand to the right.</summary>
    /// <param name="head">Names of the columns; empty ones for a table without.</param> <param name="rows">As many cells each.</param>
    public ReportSection Table(IReadOnlyList<string> head, IEnumerable<IReadOnlyList<string>> rows)
    {
        var all = rows.ToList();
        bool[] numbers = [.. head.Select((_, i) => all.Exists(r => IsNumber(r[i])) && all.TrueForAll(r => IsNumber(r[i]) || r[i] is "" or "–"))];
        string Class(int column, string cell) => numbers[column] || IsNumber(cell) ? " class=\"number\"" : "";
        _html.Append("<div class=\"wide\"><table>\n<tr>").AppendJoin("", head.Select((h, i) => $"<th{(numbers[i] ? " class=\"number\"" : "")}>{Encode(h)}</th>")).Append("</tr>\n");
        foreach (var row in all)
            _html.Append("<tr>").AppendJoin("", row.Select((c, i) => $"<td{Class(i, c)}>{Encode(c)}</td>")).Append("</tr>\n");
        _html.Append("</table></div>\n");
        return this;
    }

    /// <summary>Adds curves over steps.</summary>
    public ReportSection Chart(string caption, params IReadOnlyList<ChartSeries> series)
    {
        _html.Append($"<figure>{LineChart.Svg(caption, series)}<figcaption>{Encode(caption)}</figcaption></figure>\n");
        return this;
    }

    /// <summary>Adds a table of what was said for what; a row's share decides how dark a cell is.</summary>
    /// <param name="labels">Of rows (expected) and columns (answered).</param> <param name="counts">[expected, answered]</param>
    public ReportSection ConfusionMatrix(IReadOnlyList<string> labels, int[,] counts) => ConfusionMatrix(labels, labels, counts);

    /// <inheritdoc cref="ConfusionMatrix(IReadOnlyList{string}, int[,])"/>
    /// <param name="expected">Of rows.</param> <param name="answered">Of columns.</param> <param name="counts">[expected, answered]</param>
    /// <param name="mixed">Stands for several labels: where both are this, some answers are right and some wrong.</param>
    public ReportSection ConfusionMatrix(IReadOnlyList<string> expected, IReadOnlyList<string> answered, int[,] counts, string? mixed = null)
    {
        if (counts.GetLength(0) != expected.Count || counts.GetLength(1) != answered.Count)
            throw new ArgumentException($"A matrix of {counts.GetLength(0)} x {counts.GetLength(1)} is not that of {expected.Count} x {answered.Count} labels.", nameof(counts));
        _html.Append("<div class=\"wide\"><table class=\"confusion\">\n<tr><th>expected \\ answered</th>")
            .AppendJoin("", answered.Select(l => $"<th class=\"across\"><span>{Encode(l)}</span></th>")).Append("</tr>\n");
        for (int i = 0; i < expected.Count; i++)
        {
            int total = Enumerable.Range(0, answered.Count).Sum(j => counts[i, j]);
            _html.Append($"<tr><th>{Encode(expected[i])}</th>");
            for (int j = 0; j < answered.Count; j++)
            {
                double share = total == 0 ? 0 : (double)counts[i, j] / total;
                string title = Encode(string.Create(CultureInfo.InvariantCulture, $"{expected[i]} answered as {answered[j]}: {counts[i, j]} of {total}"));
                string kind = expected[i] != answered[j] ? "wrong" : expected[i] == mixed ? "mixed" : "right";
                _html.Append(CultureInfo.InvariantCulture, $"<td class=\"{kind}\" style=\"--share:{share:0.###}\" title=\"{title}\">{(counts[i, j] == 0 ? "" : counts[i, j])}</td>");
            }
            _html.Append("</tr>\n");
        }
        _html.Append("</table></div>\n");
        return this;
    }

    /// <summary>Adds what the model said of single sounds.</summary>
    public ReportSection Answers(IEnumerable<ReportedAnswer> answers)
    {
        _html.Append("<div class=\"answers\">\n");
        foreach (var a in answers)
        {
            _html.Append($"<div class=\"answer {(a.IsRight switch { true => "right", false => "wrong", null => "" })}\"><h3>{Encode(a.Sound)}</h3>\n");
            if (a.Spectrogram is { } picture)
                _html.Append($"<img alt=\"Spectrogram of {Encode(a.Sound)}\" src=\"{SpectrogramImage.DataUrl(picture)}\">\n");
            _html.Append($"<p class=\"prompt\">{Encode(a.Prompt)}</p><p>{Encode(a.Answer)}</p><p class=\"expected\">expected: {Encode(a.Expected)}</p></div>\n");
        }
        _html.Append("</div>\n");
        return this;
    }

    private static bool IsNumber(string cell) => double.TryParse(cell.TrimEnd('%', ' '), CultureInfo.InvariantCulture, out _);

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
