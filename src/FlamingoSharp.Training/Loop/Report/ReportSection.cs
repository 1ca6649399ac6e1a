using System.Globalization;
using System.Net;
using System.Text;

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

    /// <summary>Adds a table; cells that are numbers stand to the right.</summary>
    public ReportSection Table(IReadOnlyList<string> head, IEnumerable<IReadOnlyList<string>> rows)
    {
        _html.Append("<div class=\"wide\"><table>\n<tr>").AppendJoin("", head.Select(h => $"<th>{Encode(h)}</th>")).Append("</tr>\n");
        foreach (var row in rows)
        {
            _html.Append("<tr>")
                .AppendJoin("", row.Select(c => double.TryParse(c.TrimEnd('%', ' '), CultureInfo.InvariantCulture, out _) ? $"<td class=\"number\">{Encode(c)}</td>" : $"<td>{Encode(c)}</td>"))
                .Append("</tr>\n");
        }
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
    public ReportSection ConfusionMatrix(IReadOnlyList<string> labels, int[,] counts)
    {
        if (counts.GetLength(0) != labels.Count || counts.GetLength(1) != labels.Count)
            throw new ArgumentException($"A matrix of {counts.GetLength(0)} x {counts.GetLength(1)} is not that of {labels.Count} labels.", nameof(counts));
        _html.Append("<div class=\"wide\"><table class=\"confusion\">\n<tr><th>expected \\ answered</th>")
            .AppendJoin("", labels.Select(l => $"<th class=\"across\"><span>{Encode(l)}</span></th>")).Append("</tr>\n");
        for (int i = 0; i < labels.Count; i++)
        {
            int total = Enumerable.Range(0, labels.Count).Sum(j => counts[i, j]);
            _html.Append($"<tr><th>{Encode(labels[i])}</th>");
            for (int j = 0; j < labels.Count; j++)
            {
                double share = total == 0 ? 0 : (double)counts[i, j] / total;
                string title = Encode(string.Create(CultureInfo.InvariantCulture, $"{labels[i]} answered as {labels[j]}: {counts[i, j]} of {total}"));
                _html.Append(CultureInfo.InvariantCulture, $"<td class=\"{(i == j ? "right" : "wrong")}\" style=\"--share:{share:0.###}\" title=\"{title}\">{(counts[i, j] == 0 ? "" : counts[i, j])}</td>");
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
                _html.Append($"<img alt=\"Spectrogram of {Encode(a.Sound)}\" src=\"data:image/png;base64,{Convert.ToBase64String(picture)}\">\n");
            _html.Append($"<p class=\"prompt\">{Encode(a.Prompt)}</p><p>{Encode(a.Answer)}</p><p class=\"expected\">expected: {Encode(a.Expected)}</p></div>\n");
        }
        _html.Append("</div>\n");
        return this;
    }

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
