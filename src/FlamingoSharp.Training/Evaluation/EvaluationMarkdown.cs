using System.Globalization;
using System.Text;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>A report as a page of Markdown.</summary>
internal static class EvaluationMarkdown
{
    private const int MostConfusions = 15, LongestCell = 120;

    /// <summary>The page.</summary>
    public static string Of(EvaluationReport report)
    {
        var page = new StringBuilder();
        page.AppendLine(CultureInfo.InvariantCulture, $"# Evaluation of {report.Model.Name} on {Path.GetFileName(Path.TrimEndingDirectorySeparator(report.Data.Path))}, {report.Data.Split}").AppendLine();
        Facts(page, report);
        Results(page, report);
        foreach (var row in report.Rows)
            Row(page, row);
        if (report.Unanswered.Count > 0)
        {
            page.AppendLine("## Not answered").AppendLine();
            foreach (var unanswered in report.Unanswered.Take(50))
                page.AppendLine(CultureInfo.InvariantCulture, $"- {unanswered.Id}: {unanswered.Reason}");
            page.AppendLine();
        }
        page.AppendLine("## Measures").AppendLine();
        var used = report.Rows.SelectMany(r => r.Scores.Keys).Select(k => k.StartsWith("bleu", StringComparison.Ordinal) ? "bleu" : k).ToHashSet();
        foreach (var (name, definition) in report.Measures.Where(m => used.Contains(m.Key)).Concat(report.NotComputed))
            page.AppendLine(CultureInfo.InvariantCulture, $"- **{name}**: {definition}");
        return page.ToString();
    }

    private static void Facts(StringBuilder page, EvaluationReport report)
    {
        var g = report.Generation;
        string generation = g.Sample ? string.Create(CultureInfo.InvariantCulture, $"sampling, temperature {g.Temperature}, top-k {g.TopK}, top-p {g.TopP}, seed {g.Seed}")
            : g.NumBeams > 1 ? string.Create(CultureInfo.InvariantCulture, $"{g.NumBeams} beams, length penalty {g.LengthPenalty}") : "greedy";
        (string, string)[] facts =
        [
            ("model", $"{report.Model.Name}, asked as {report.Model.PromptFormat}, {report.Model.Dtype} on {report.Model.Device}"),
            ("weights", string.Join("; ", report.Model.Weights.Select(w => $"{w.File}, {w.Date}, SHA-256 {w.Sha256}"))),
            ("data", $"{report.Data.Path}, split {report.Data.Split}, {report.Data.Items} questions{(report.Data.Limit is { } most ? $" (at most {most} of each row)" : "")}, SHA-256 {report.Data.Sha256}"),
            ("generation", string.Create(CultureInfo.InvariantCulture, $"{generation}, at most {g.MaxNewTokens} tokens")),
            ("sound", string.Create(CultureInfo.InvariantCulture, $"{report.SecondsHeard:0.0} s heard, {report.SecondsDropped:0.0} s did not fit the model")),
            ("similar texts", report.Embedder ?? "no embedder was given: measures that need one are not computed"),
            ("made", $"{report.Date} by {report.Tool}"),
        ];
        page.AppendLine("| | |").AppendLine("|---|---|");
        foreach (var (name, value) in facts)
            page.AppendLine(CultureInfo.InvariantCulture, $"| {name} | {Cell(value, int.MaxValue)} |");
        page.AppendLine();
    }

    private static void Results(StringBuilder page, EvaluationReport report)
    {
        page.AppendLine("| | n | measure | value | likeliest choice | macro recall | unparsed | most frequent answer | nearest neighbour | published |");
        page.AppendLine("|---|---|---|---|---|---|---|---|---|---|");
        foreach (var row in report.Rows)
        {
            string Of(IReadOnlyDictionary<string, double>? scores, string measure) =>
                scores is not null && scores.TryGetValue(measure, out double value) ? Number(measure, value) : "";
            page.AppendLine(CultureInfo.InvariantCulture,
                $"| {Cell(row.Name)} | {row.Items} | {row.Headline} | **{Of(row.Scores, row.Headline)}** | {Of(row.Scores, Measures.Likeliest)} | {Of(row.Scores, Measures.MacroRecall)} | {Of(row.Scores, Measures.Unparsed)} | {Of(row.Baselines.GetValueOrDefault("most_frequent_answer"), row.Headline)} | {Of(row.Baselines.GetValueOrDefault("nearest_neighbour"), row.Headline)} | {Published(row)} |");
            if (row.UnseenSpeakers is { } unseen)
            {
                page.AppendLine(CultureInfo.InvariantCulture,
                    $"| {Cell(row.Name)}, speakers unseen in training | {unseen.Items} | {row.Headline} | **{Of(unseen.Scores, row.Headline)}** | | {Of(unseen.Scores, Measures.MacroRecall)} | {Of(unseen.Scores, Measures.Unparsed)} | | | |");
            }
        }
        foreach (var (measure, value) in report.Macro)
            page.AppendLine(CultureInfo.InvariantCulture, $"| mean of rows | | {(measure == "share" ? "shares above" : measure)} | {Number(measure, value)} | | | | | |");
        page.AppendLine();
    }

    private static string Published(RowReport row) => string.Join("; ", row.Published.Take(2).Select(p =>
        string.Create(CultureInfo.InvariantCulture, $"{p.Model} {p.Value:0.###}{(row.PublishedMeasure is { } m && m != row.Headline ? $" ({m})" : "")}")));

    private static void Row(StringBuilder page, RowReport row)
    {
        page.AppendLine(CultureInfo.InvariantCulture, $"## {row.Name}").AppendLine();
        page.AppendLine(string.Join(", ", row.Scores.Select(s => $"{s.Key} {Number(s.Key, s.Value)}"))
            + string.Create(CultureInfo.InvariantCulture, $"; {row.CutOff:0.0%} of the answers were cut off.").Replace(" %", "%", StringComparison.Ordinal)).AppendLine();
        if (row.Note is not null)
            page.AppendLine(row.Note).AppendLine();
        foreach (var published in row.Published)
            page.AppendLine(CultureInfo.InvariantCulture, $"- {row.PublishedMeasure} of {published.Model}: {published.Value:0.###} ({published.Source})");
        if (row.Published.Count > 0)
            page.AppendLine();
        page.AppendLine("The prompt of the first question:").AppendLine().AppendLine("```").AppendLine(row.Prompt).AppendLine("```").AppendLine();
        page.AppendLine("| question | right | answer | |").AppendLine("|---|---|---|---|");
        foreach (var sample in row.Samples)
            page.AppendLine(CultureInfo.InvariantCulture, $"| {Cell(sample.Question)} | {Cell(sample.Expected)} | {Cell(sample.Answer)} | {sample.Right switch { true => "✓", false => "✗", _ => "" }} |");
        page.AppendLine();
        if (row.Confusion is { } confusion)
            Confusions(page, confusion);
    }

    private static void Confusions(StringBuilder page, ConfusionReport confusion)
    {
        var worst = confusion.Counts.SelectMany((counts, e) => counts.Select((count, g) => (Expected: confusion.Labels[e], Given: g < confusion.Labels.Count ? confusion.Labels[g] : "(no label)", Count: count)))
            .Where(c => c.Count > 0 && c.Expected != c.Given).OrderByDescending(c => c.Count).Take(MostConfusions).ToList();
        if (worst.Count == 0)
            return;
        page.AppendLine("Most frequent confusions (the whole matrix is in report.json):").AppendLine();
        page.AppendLine("| right | given | times |").AppendLine("|---|---|---|");
        foreach (var (expected, given, count) in worst)
            page.AppendLine(CultureInfo.InvariantCulture, $"| {Cell(expected)} | {Cell(given)} | {count} |");
        page.AppendLine();
    }

    private static string Number(string measure, double value) =>
        (Measures.IsShare(measure) ? (100 * value).ToString("0.0", CultureInfo.InvariantCulture) + " %" : value.ToString("0.000", CultureInfo.InvariantCulture));

    private static string Cell(string text, int most = LongestCell)
    {
        string line = text.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");
        return line.Length <= most ? line : line[..most] + "…";
    }
}
