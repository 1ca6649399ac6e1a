using System.Globalization;
using System.Text;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>A report as a page of Markdown.</summary>
internal static class EvaluationMarkdown
{
    private const int LongestCell = 120, MostUnanswered = 50;

    /// <summary>The page.</summary>
    public static string Of(EvaluationReport report)
    {
        var page = new StringBuilder();
        page.AppendLine(CultureInfo.InvariantCulture, $"# {EvaluationTables.Title(report)}").AppendLine();
        page.AppendLine("| | |").AppendLine("|---|---|");
        foreach (var (name, value) in EvaluationTables.Facts(report))
            page.AppendLine(CultureInfo.InvariantCulture, $"| {name} | {Cell(value, int.MaxValue)} |");
        page.AppendLine();
        Table(page, EvaluationTables.Results(report.Rows, report.Macro), bold: 3);
        if (EvaluationTables.Accuracies(report.Rows) is { } accuracies)
        {
            page.AppendLine("Answers that are right or wrong, by each way of telling:").AppendLine();
            Table(page, accuracies);
        }
        foreach (var row in report.Rows)
            Row(page, row);
        if (report.Unanswered.Count > 0)
        {
            page.AppendLine("## Not answered").AppendLine();
            foreach (var unanswered in report.Unanswered.Take(MostUnanswered))
                page.AppendLine(CultureInfo.InvariantCulture, $"- {unanswered.Id}: {unanswered.Reason}");
            page.AppendLine();
        }
        page.AppendLine("## Measures").AppendLine();
        foreach (var (name, definition) in EvaluationTables.Definitions(report))
            page.AppendLine(CultureInfo.InvariantCulture, $"- **{name}**: {definition}");
        return page.ToString();
    }

    private static void Row(StringBuilder page, RowReport row)
    {
        page.AppendLine(CultureInfo.InvariantCulture, $"## {row.Name}").AppendLine();
        page.AppendLine(EvaluationTables.Scores(row)).AppendLine();
        if (row.Note is not null)
            page.AppendLine(row.Note).AppendLine();
        foreach (string published in EvaluationTables.PublishedLines(row))
            page.AppendLine(CultureInfo.InvariantCulture, $"- {published}");
        if (row.Published.Count > 0)
            page.AppendLine();
        page.AppendLine("The prompt of the first question:").AppendLine().AppendLine("```").AppendLine(row.Prompt).AppendLine("```").AppendLine();
        Table(page, new(["question", "right", "answer", ""],
            [.. row.Samples.Select(s => (string[])[s.Question, s.Expected, s.Answer, s.Right switch { true => "✓", false => "✗", _ => "" }])]));
        if (row.Confusion is { } confusion && EvaluationTables.Confusions(confusion) is { Rows.Count: > 0 } worst)
        {
            page.AppendLine("Most frequent confusions (the whole matrix is in report.json):").AppendLine();
            Table(page, worst);
        }
    }

    private static void Table(StringBuilder page, ReportTable table, int bold = -1)
    {
        page.Append("| ").AppendJoin(" | ", table.Head.Select(h => Cell(h))).AppendLine(" |");
        page.AppendLine(string.Concat(Enumerable.Repeat("|---", table.Head.Count)) + "|");
        foreach (var row in table.Rows)
            page.Append("| ").AppendJoin(" | ", row.Select((c, i) => i == bold && c.Length > 0 ? $"**{Cell(c)}**" : Cell(c))).AppendLine(" |");
        page.AppendLine();
    }

    private static string Cell(string text, int most = LongestCell)
    {
        string line = text.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");
        return line.Length <= most ? line : line[..most] + "…";
    }
}
