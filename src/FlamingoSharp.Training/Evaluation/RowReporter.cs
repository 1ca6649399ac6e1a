namespace FlamingoSharp.Training.Evaluation;

/// <summary>Scores rows and their baselines for a report.</summary>
internal sealed class RowReporter(
    IReadOnlyDictionary<string, EvaluationQuestion> questions, IReadOnlyDictionary<string, AnswerRecord> answers, Baselines baselines, ITextEmbedder? embedder,
    IReadOnlyList<EvaluationRow> training)
{
    private const int Samples = 10;

    private readonly HashSet<string> _trainingSpeakers = [.. training.SelectMany(r => r.Items).Select(i => i.Speaker).OfType<string>()];

    /// <summary>The report of a row.</summary>
    /// <param name="row">Its items are answered.</param> <param name="cancellation">Stops.</param>
    public RowReport Report(EvaluationRow row, CancellationToken cancellation)
    {
        AnswerRecord[] records = [.. row.Items.Select(i => answers[questions[i.Id].Key])];
        string[] given = [.. records.Select(r => r.Answer)];
        var (score, predictions) = row.Kind == AnswerKind.Consistency ? DialogueConsistency.Score(row, questions, answers)
            : (RowScorer.Score(row.Kind, row.Items, given, embedder).With(RowScorer.Likeliest(row.Items, [.. records.Select(r => r.Likeliest)])),
                (Prediction[])[.. row.Items.Select((_, i) => Sample(row, given, i))]);
        return new()
        {
            Name = row.Name,
            Kind = row.Kind,
            Items = row.Items.Count,
            Headline = row.Preset?.Measure is { } measure && score[measure] is not null ? measure : Measures.Headline(row.Kind),
            Scores = Values(score),
            UnseenSpeakers = UnseenSpeakers(row, given),
            Baselines = Baseline(row, cancellation),
            Published = row.Preset?.Published ?? [],
            PublishedMeasure = row.Preset?.Measure,
            Note = NoteOf(row, score),
            Prompt = questions[row.Items[0].Id].Text,
            CutOff = records.Average(r => r.CutOff ? 1.0 : 0),
            Confusion = score.Confusion is null ? null : ConfusionReport.Of(score.Confusion),
            Samples = [.. Sampled(predictions)],
        };
    }

    private Dictionary<string, IReadOnlyDictionary<string, double>> Baseline(EvaluationRow row, CancellationToken cancellation)
    {
        Dictionary<string, IReadOnlyDictionary<string, double>> scores = [];
        // The embedder may know the model's answers only; what these baselines say needs none.
        if (baselines.MostFrequent(row) is { } frequent)
            scores["most_frequent_answer"] = Values(RowScorer.Score(row.Kind, row.Items, frequent, null));
        if (baselines.NearestNeighbour(row, cancellation) is { } nearest)
            scores["nearest_neighbour"] = Values(RowScorer.Score(row.Kind, row.Items, nearest, null));
        return scores;
    }

    private SpeakerScores? UnseenSpeakers(EvaluationRow row, string[] given)
    {
        // Only where the question is about speech: most items know their speaker.
        if (row.Kind == AnswerKind.Consistency || row.Items.Count(i => i.Speaker is not null) * 2 <= row.Items.Count)
            return null;
        int[] unseen = [.. Enumerable.Range(0, row.Items.Count).Where(i => row.Items[i].Speaker is { } speaker && !_trainingSpeakers.Contains(speaker))];
        if (_trainingSpeakers.Count == 0 || unseen.Length == 0)
            return null;
        return new(unseen.Length, Values(RowScorer.Score(row.Kind, [.. unseen.Select(i => row.Items[i])], [.. unseen.Select(i => given[i])], null)));
    }

    private static string? NoteOf(EvaluationRow row, RowScore score)
    {
        string? missing = row.Preset?.Measure is { } measure && score[measure] is null
            ? measure is Measures.F1Approx or Measures.Map ? $"{measure} is not computed: no text embedder was given." : $"{measure} is not computed." : null;
        string?[] notes = [missing, row.Preset?.Note];
        string note = string.Join(' ', notes.OfType<string>());
        return note.Length == 0 ? null : note;
    }

    /// <summary>A few predictions: as many wrong as right ones, where there are that many, both from all over the row.</summary>
    public static IEnumerable<Prediction> Sampled(IReadOnlyList<Prediction> all)
    {
        Prediction[] wrong = [.. all.Where(p => p.Right == false)], others = [.. all.Where(p => p.Right != false)];
        int ofWrong = Math.Min(wrong.Length, Math.Max(Samples / 2, Samples - others.Length));
        return Spread.Over(others, Samples - ofWrong).Concat(Spread.Over(wrong, ofWrong));
    }

    private static Prediction Sample(EvaluationRow row, string[] given, int i)
    {
        var item = row.Items[i];
        bool isText = row.Kind is AnswerKind.Caption or AnswerKind.Dialogue;
        string question = item.Rounds.Count > 0 ? item.Rounds[^1].User : EvaluationWording.QuestionOf(item.Prompt.Prompt);
        return new(item.Id, item.Sound.Path, question, string.Join(row.Kind == AnswerKind.Labels ? ", " : " | ", item.Expected), given[i],
            isText ? null : RowScorer.IsRight(item, given[i]))
        {
            Start = item.Sound.Start > 0 ? item.Sound.Start : null,
            Duration = item.Sound.Duration,
        };
    }

    private static Dictionary<string, double> Values(RowScore score) => score.Measures.ToDictionary(m => m.Name, m => Math.Round(m.Value, 6));
}
