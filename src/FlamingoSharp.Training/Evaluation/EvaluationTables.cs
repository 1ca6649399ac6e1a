using System.Globalization;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>A table of texts.</summary>
/// <param name="Head">Names of the columns.</param> <param name="Rows">As many cells each.</param>
internal sealed record ReportTable(IReadOnlyList<string> Head, IReadOnlyList<IReadOnlyList<string>> Rows);

/// <summary>The tables of a report, which its pages in Markdown and HTML share.</summary>
internal static class EvaluationTables
{
    private const int MostConfusions = 15;

    private static readonly (string Measure, string Column)[] s_accuracies =
    [
        (Measures.Exact, "exact"), (Measures.Contains, "contains"), (Measures.NearestLabel, "nearest label"), (Measures.Likeliest, "likeliest choice"),
        (Measures.MacroRecall, "macro recall"), (Measures.MacroF1, "macro F1"), (Measures.Unparsed, "no answer of the row"),
    ];

    /// <summary>What was evaluated, and how.</summary>
    public static IReadOnlyList<(string Name, string Value)> Facts(EvaluationReport report)
    {
        var g = report.Generation;
        string generation = g.Sample ? string.Create(CultureInfo.InvariantCulture, $"sampling, temperature {g.Temperature}, top-k {g.TopK}, top-p {g.TopP}, seed {g.Seed}")
            : g.Beams > 1 ? string.Create(CultureInfo.InvariantCulture, $"{g.Beams} beams, length penalty {g.LengthPenalty}") : "greedy";
        return
        [
            ("model", $"{report.Model.Name}, asked as {report.Model.PromptFormat}, {report.Model.Dtype} on {report.Model.Device}"),
            ("weights", string.Join("; ", report.Model.Weights.Select(w => $"{w.File}, {w.Date}, SHA-256 {w.Sha256}"))),
            ("data", $"{report.Data.Path}, split {report.Data.Split}, {report.Data.Items} questions{(report.Data.Limit is { } most ? $" (at most {most} of each row)" : "")}, SHA-256 {report.Data.Sha256}"),
            ("generation", string.Create(CultureInfo.InvariantCulture, $"{generation}, at most {g.MaxTokens} tokens")),
            ("sound", string.Create(CultureInfo.InvariantCulture, $"{report.SecondsHeard:0.0} s heard, {report.SecondsDropped:0.0} s did not fit the model")),
            ("similar texts", report.Embedder ?? "no embedder was given (--clap, --text-vectors): measures that need one are not computed"),
            ("made", $"{report.Date} by {report.Tool}"),
        ];
    }

    /// <summary>Every row by its main measure, beside it the baselines and what papers report; the rows' means at the end.</summary>
    public static ReportTable Results(IReadOnlyList<RowReport> reports, IReadOnlyDictionary<string, double>? macro = null)
    {
        string[] baselines = [.. reports.SelectMany(r => r.Baselines.Keys).Distinct()];
        bool published = reports.Any(r => r.Published.Count > 0);
        string[] Line(string name, string items, string measure, string value, IEnumerable<string> beside, string paper) =>
            [name, items, measure, value, .. beside, .. published ? [paper] : Array.Empty<string>()];
        var nothing = baselines.Select(_ => "");
        List<IReadOnlyList<string>> rows = [];
        foreach (var row in reports)
        {
            string items = row.Items.ToString(CultureInfo.InvariantCulture);
            rows.Add(Line(row.Name, items, row.Headline, Of(row.Scores, row.Headline), baselines.Select(b => Of(row.Baselines.GetValueOrDefault(b), row.Headline)), Published(row)));
            if (row.UnseenSpeakers is { } unseen)
                rows.Add(Line($"{row.Name}, speakers unseen in training", unseen.Items.ToString(CultureInfo.InvariantCulture), row.Headline, Of(unseen.Scores, row.Headline), nothing, ""));
        }
        foreach (var (measure, value) in macro ?? new Dictionary<string, double>())
            rows.Add(Line("mean of rows", "", measure == "share" ? "shares above" : measure, Number(measure, value), nothing, ""));
        return new(Line("row", "n", "measure", "value", baselines.Select(b => b.Replace('_', ' ')), "published"), rows);
    }

    /// <summary>What the rows whose answers are right or wrong come to by each way of telling; null where there is no such row.</summary>
    public static ReportTable? Accuracies(IReadOnlyList<RowReport> reports)
    {
        RowReport[] rows = [.. reports.Where(r => r.Confusion is not null && r.Scores.ContainsKey(Measures.Exact))];
        return rows.Length == 0 ? null : new(
            ["row", .. s_accuracies.Select(a => a.Column)],
            [.. rows.Select(r => (string[])[r.Name, .. s_accuracies.Select(a => Of(r.Scores, a.Measure) is { Length: > 0 } value ? value : "–")])]);
    }

    /// <summary>The most frequent wrong answers.</summary>
    public static ReportTable Confusions(ConfusionReport confusion) => new(
        ["right", "given", "times"],
        [
            .. confusion.Counts.SelectMany((counts, e) => counts.Select((count, g) => (Expected: confusion.Labels[e], Given: g < confusion.Labels.Count ? confusion.Labels[g] : "(no label)", Count: count)))
                .Where(c => c.Count > 0 && c.Expected != c.Given).OrderByDescending(c => c.Count).Take(MostConfusions)
                .Select(c => (string[])[c.Expected, c.Given, c.Count.ToString(CultureInfo.InvariantCulture)]),
        ]);

    /// <summary>All measures of a row in a line.</summary>
    public static string Scores(RowReport row) => string.Join(", ", row.Scores.Select(s => $"{s.Key} {Number(s.Key, s.Value)}"))
        + string.Create(CultureInfo.InvariantCulture, $"; {100 * row.CutOff:0.0} % of the answers were cut off.");

    /// <summary>What papers report of a row, a line each.</summary>
    public static IEnumerable<string> PublishedLines(RowReport row) => row.Published.Select(p =>
        string.Create(CultureInfo.InvariantCulture, $"{row.PublishedMeasure} of {p.Model}: {p.Value:0.###} ({p.Source})"));

    /// <summary>The measures that the report's rows have, and those that it has not, with their definitions.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Definitions(EvaluationReport report)
    {
        var used = report.Rows.SelectMany(r => r.Scores.Keys).Select(k => k.StartsWith("bleu", StringComparison.Ordinal) ? "bleu" : k).ToHashSet();
        return report.Measures.Where(m => used.Contains(m.Key)).Concat(report.NotComputed);
    }

    /// <summary>What a page about the report is called.</summary>
    public static string Title(EvaluationReport report) =>
        $"Evaluation of {report.Model.Name} on {Path.GetFileName(Path.TrimEndingDirectorySeparator(report.Data.Path))}, {report.Data.Split}";

    private static string Published(RowReport row) => string.Join("; ", row.Published.Take(2).Select(p =>
        string.Create(CultureInfo.InvariantCulture, $"{p.Model} {p.Value:0.###}{(row.PublishedMeasure is { } m && m != row.Headline ? $" ({m})" : "")}")));

    private static string Of(IReadOnlyDictionary<string, double>? scores, string measure) =>
        scores is not null && scores.TryGetValue(measure, out double value) ? Number(measure, value) : "";

    private static string Number(string measure, double value) =>
        Measures.IsShare(measure) ? (100 * value).ToString("0.0", CultureInfo.InvariantCulture) + " %" : value.ToString("0.000", CultureInfo.InvariantCulture);
}
