namespace FlamingoSharp.Training.Evaluation;

/// <summary>A report as sections of a page.</summary>
/// <param name="pictures">The spectrogram of a prediction's sound as PNG; null where there is none.</param>
internal sealed class EvaluationSections(Func<Prediction, byte[]?> pictures)
{
    private const int MostLabels = 14, MostOfAKind = 3, MostUnanswered = 50;
    private const string Other = "(other)", NoLabel = "(no label)";

    /// <summary>Everything that the report has.</summary>
    public IEnumerable<ReportSection> Of(EvaluationReport report)
    {
        yield return Results(report.Rows, report.Macro);
        foreach (var row in report.Rows)
            yield return Row(row);
        if (report.Unanswered.Count > 0)
            yield return new ReportSection("Not answered").Table(["question", "reason"], report.Unanswered.Take(MostUnanswered).Select(u => (string[])[u.Id, u.Reason]));
        yield return new ReportSection("Model, data and generation").Table(["", ""], EvaluationTables.Facts(report).Select(f => (string[])[f.Name, f.Value]));
        yield return new ReportSection("Measures").Table(["measure", "definition"], EvaluationTables.Definitions(report).Select(d => (string[])[d.Key, d.Value]));
    }

    /// <summary>What one row came to: its measures, what was taken for what, and a few of its answers, right and wrong.</summary>
    public ReportSection Row(RowReport row)
    {
        var section = new ReportSection(row.Name).Text(EvaluationTables.Scores(row));
        if (row.Note is not null)
            section.Text(row.Note);
        foreach (string published in EvaluationTables.PublishedLines(row))
            section.Text(published);
        section.Text("The prompt of the first question:").Code(row.Prompt);
        // What is asked freely has as many answers as questions.
        if (row.Confusion is { } confusion && row.Kind != AnswerKind.Free)
            Confusion(section, confusion);
        return section.Answers(Shown(row).Select(s => new ReportedAnswer(Path.GetFileName(s.Sound), s.Question, s.Expected, s.Answer, s.Right, pictures(s))));
    }

    /// <summary>The predictions of a row that its section shows: some that are right and some that are wrong.</summary>
    public static IEnumerable<Prediction> Shown(RowReport row) =>
        [.. row.Samples.Where(s => s.Right != false).Take(MostOfAKind), .. row.Samples.Where(s => s.Right == false).Take(MostOfAKind)];

    /// <summary>The tables over all rows.</summary>
    public static ReportSection Results(IReadOnlyList<RowReport> rows, IReadOnlyDictionary<string, double>? macro = null)
    {
        var results = EvaluationTables.Results(rows, macro);
        var section = new ReportSection("Results").Table(results.Head, results.Rows);
        if (EvaluationTables.Accuracies(rows) is { } accuracies)
            section.Text("Answers that are right or wrong, by each way of telling:").Table(accuracies.Head, accuracies.Rows);
        return section;
    }

    // Of many labels the most frequent; the others together, where right and wrong are no longer told apart.
    private static void Confusion(ReportSection section, ConfusionReport confusion)
    {
        int[] given = [.. Enumerable.Range(0, confusion.Labels.Count).Select(g => confusion.Counts.Sum(c => c[g]))];
        int Frequency(int label) => given[label] + (label < confusion.Counts.Count ? confusion.Counts[label].Sum() : 0);
        bool folds = confusion.Labels.Count > MostLabels;
        int[] kept = [.. Enumerable.Range(0, confusion.Labels.Count).OrderByDescending(Frequency).Take(folds ? MostLabels - 1 : MostLabels).Order()];
        int[] PlaceOf(int count) => [.. Enumerable.Range(0, count).Select(l => Array.IndexOf(kept, l) is var at and >= 0 ? at : kept.Length)];
        int[] rowOf = PlaceOf(confusion.Counts.Count), columnOf = PlaceOf(confusion.Labels.Count);
        string[] names = [.. kept.Select(k => confusion.Labels[k]), .. folds ? [Other] : Array.Empty<string>()];
        int[,] counts = new int[names.Length, names.Length + 1];
        for (int e = 0; e < confusion.Counts.Count; e++)
        {
            for (int g = 0; g <= confusion.Labels.Count; g++)
                counts[rowOf[e], g < confusion.Labels.Count ? columnOf[g] : names.Length] += confusion.Counts[e][g];
        }
        section.ConfusionMatrix(names, [.. names, NoLabel], counts, mixed: Other);
        if (folds)
            section.Text($"{Other} stands for the {confusion.Labels.Count - kept.Length} least frequent of {confusion.Labels.Count} answers; the whole matrix is in report.json.");
    }
}
