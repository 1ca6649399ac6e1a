namespace FlamingoSharp.Training.Evaluation;

/// <summary>A measure and its value.</summary>
/// <param name="Name">As reports name it; <see cref="Measures"/> says what each is.</param>
/// <param name="Value">Shares from 0 to 1.</param>
internal sealed record Measured(string Name, double Value);

/// <summary>What the answers of a row are worth.</summary>
internal sealed record RowScore(IReadOnlyList<Measured> Measures, ConfusionMatrix? Confusion)
{
    /// <summary>A measure's value; null where it was not taken.</summary>
    public double? this[string name] => Measures.FirstOrDefault(m => m.Name == name)?.Value;

    /// <summary>With one measure more, if it was taken.</summary>
    public RowScore With(Measured? measure) => measure is null ? this : this with { Measures = [.. Measures, measure] };
}

/// <summary>Scores the answers of a row by the measures of its kind.</summary>
internal static class RowScorer
{
    /// <summary>Scores answers.</summary>
    /// <param name="kind">What kind of answers they are.</param> <param name="items">At least one.</param>
    /// <param name="answers">In the order of the items.</param> <param name="embedder">Says which texts mean the same; null leaves measures out that need it.</param>
    public static RowScore Score(AnswerKind kind, IReadOnlyList<EvaluationItem> items, IReadOnlyList<string> answers, ITextEmbedder? embedder) => kind switch
    {
        AnswerKind.Caption or AnswerKind.Dialogue => Texts(kind, items, answers),
        AnswerKind.Labels => LabelLists(items, answers, embedder),
        _ => Labels(kind, items, answers, embedder),
    };

    /// <summary>How often the likeliest choice is the right one; null where some item has none.</summary>
    /// <param name="items">At least one.</param> <param name="likeliest">In the order of the items.</param>
    public static Measured? Likeliest(IReadOnlyList<EvaluationItem> items, IReadOnlyList<string?> likeliest) => likeliest.Contains(null) ? null : new(
        Measures.Likeliest, items.Zip(likeliest).Average(p => p.First.Expected.Any(e => AnswerWords.Normal(e) == AnswerWords.Normal(p.Second!)) ? 1.0 : 0));

    /// <summary>True where an answer is right.</summary>
    public static bool IsRight(EvaluationItem item, string answer) => item.Kind switch
    {
        AnswerKind.Labels => AnswerWords.Labels(answer).ToHashSet().SetEquals(item.Expected.Select(AnswerWords.Normal)),
        AnswerKind.YesNo => AnswerWords.YesOrNo(answer) == item.Expected[0],
        _ => Parsed(item, answer) is { } said && item.Expected.Any(e => AnswerWords.Normal(e) == AnswerWords.Normal(said)),
    };

    /// <summary>Which of an item's choices an answer is; null where it is none. A free answer is itself.</summary>
    public static string? Parsed(EvaluationItem item, string answer) => item.Kind switch
    {
        AnswerKind.YesNo => AnswerWords.YesOrNo(answer),
        _ when item.Choices.Count > 0 => Text.LabelMatch.Find(answer, item.Choices)
            ?? item.Choices.FirstOrDefault(c => AnswerWords.Normal(c) == AnswerWords.Normal(answer)),
        _ => AnswerWords.Bare(answer),
    };

    /// <summary>The texts that an embedder is asked about.</summary>
    public static IEnumerable<string> EmbeddedTexts(AnswerKind kind, IReadOnlyList<EvaluationItem> items, IReadOnlyList<string> answers)
    {
        var said = answers.Where(a => !string.IsNullOrWhiteSpace(a));
        return kind switch
        {
            AnswerKind.Caption or AnswerKind.Dialogue or AnswerKind.Consistency => [],
            AnswerKind.Labels => said.Concat(said.SelectMany(AnswerWords.Labels)).Concat(items.SelectMany(i => i.Expected.Select(AnswerWords.Normal)))
                .Concat(items.Select(Sentence)),
            _ => said.Concat(items.SelectMany(i => i.Choices.Concat(i.Expected))),
        };
    }

    private static string Sentence(EvaluationItem item) => string.Join(", ", item.Expected);

    private static RowScore Labels(AnswerKind kind, IReadOnlyList<EvaluationItem> items, IReadOnlyList<string> answers, ITextEmbedder? embedder)
    {
        var both = items.Zip(answers).ToList();
        // Free answers that no item of the row expects are no labels of it.
        var labels = items.SelectMany(i => i.Choices.Count > 0 ? i.Choices : i.Expected).Select(AnswerWords.Normal).ToHashSet();
        var confusion = new ConfusionMatrix([.. both.Select(b =>
        {
            string? said = Parsed(b.First, b.Second) is { } parsed ? AnswerWords.Normal(parsed) : null;
            string right = AnswerWords.Normal(b.First.Expected[0]);
            if (said is not null && b.First.Expected.Any(e => AnswerWords.Normal(e) == said))
                said = right;
            return (right, said is not null && labels.Contains(said) ? said : null);
        })]);
        List<Measured> measures = [];
        if (kind == AnswerKind.YesNo)
            measures.Add(new(Measures.BalancedAccuracy, confusion.BalancedAccuracy));
        measures.Add(new(Measures.Exact, confusion.Accuracy));
        measures.Add(new(Measures.Contains, both.Average(b => b.First.Expected.Any(e => AnswerWords.Contains(b.Second, e)) ? 1.0 : 0)));
        if (embedder is not null)
            measures.Add(new(Measures.NearestLabel, NearestLabel(items, answers, embedder)));
        if (kind == AnswerKind.Choice)
            measures.Add(new(Measures.OptionTokens, both.Average(b => AnswerWords.ByOptionTokens(b.Second, b.First.Choices) is { } option && b.First.Expected.Any(e => AnswerWords.Normal(e) == AnswerWords.Normal(option)) ? 1.0 : 0)));
        if (kind != AnswerKind.YesNo)
            measures.Add(new(Measures.MacroRecall, confusion.BalancedAccuracy));
        measures.Add(new(Measures.MacroF1, confusion.MacroF1));
        measures.Add(new(Measures.Unparsed, confusion.Unparsed));
        return new(measures, confusion);
    }

    // Among an item's choices; among all right answers of the row where there are none.
    private static double NearestLabel(IReadOnlyList<EvaluationItem> items, IReadOnlyList<string> answers, ITextEmbedder embedder)
    {
        string[] all = [.. items.SelectMany(i => i.Expected).Distinct().Order(StringComparer.Ordinal)];
        int right = 0;
        foreach (var group in items.Zip(answers).Where(b => !string.IsNullOrWhiteSpace(b.Second)).GroupBy(b => string.Join('\n', b.First.Choices)))
        {
            IReadOnlyList<string> labels = group.First().First.Choices is { Count: > 0 } choices ? choices : all;
            var nearest = TextSimilarity.Nearest([.. group.Select(g => g.Second)], labels, embedder);
            right += group.Zip(nearest).Count(p => p.First.First.Expected.Any(e => AnswerWords.Normal(e) == AnswerWords.Normal(p.Second)));
        }
        return (double)right / items.Count;
    }

    private static RowScore Texts(AnswerKind kind, IReadOnlyList<EvaluationItem> items, IReadOnlyList<string> answers)
    {
        CaptionWords[] words = [.. items.Zip(answers).Select(p => CaptionWords.Of(p.Second, p.First.Expected))];
        List<Measured> measures = [];
        if (words.Length > 1)
            measures.Add(new(Measures.CiderD, CiderD.Score(words).Value));
        measures.AddRange(Bleu.Score(words).Select((b, i) => new Measured(Measures.Bleu(i + 1), b)));
        measures.Add(new(Measures.RougeL, RougeL.Score(words).Value));
        var labelled = items.Zip(answers).Where(p => NamedBy(p.First).Count > 0).ToList();
        if (kind == AnswerKind.Caption && labelled.Count > 0)
            measures.Add(new(Measures.NamesIt, labelled.Average(p => NamedBy(p.First).Any(l => AnswerWords.Contains(p.Second, l)) ? 1.0 : 0)));
        measures.Add(new(Measures.Unparsed, answers.Average(a => AnswerWords.Words(a).Count == 0 ? 1.0 : 0)));
        return new(measures, null);
    }

    private static List<string> NamedBy(EvaluationItem item) => [.. item.Labels.Where(l => !l.Contains(':'))];

    private static RowScore LabelLists(IReadOnlyList<EvaluationItem> items, IReadOnlyList<string> answers, ITextEmbedder? embedder)
    {
        IReadOnlySet<string>[] right = [.. items.Select(i => i.Expected.Select(AnswerWords.Normal).ToHashSet())];
        IReadOnlyList<string>[] said = [.. answers.Select(AnswerWords.Labels)];
        string[] classes = [.. right.SelectMany(r => r).Distinct().Order(StringComparer.Ordinal)];
        var f1 = MultiLabelF1.Score(right, [.. said.Select(s => s.ToHashSet())], classes);
        List<Measured> measures = [new(Measures.MicroF1, f1.Micro), new(Measures.MacroF1, f1.Macro), new(Measures.Exact, items.Zip(answers).Average(p => IsRight(p.First, p.Second) ? 1.0 : 0))];
        if (embedder is not null)
        {
            measures.Add(new(Measures.F1Approx, F1Approx.Score([.. items.Select(Sentence)], answers, embedder)));
            measures.Add(new(Measures.Map, AveragePrecision.Mean(Likeness(said, classes, embedder), [.. right.Select(r => (bool[])[.. classes.Select(r.Contains)])])));
        }
        var known = classes.ToHashSet();
        measures.Add(new(Measures.Unparsed, said.Average(s => s.Any(known.Contains) ? 0.0 : 1)));
        return new(measures, null);
    }

    // How much each class is meant by the label of the answer that is closest to it.
    private static IReadOnlyList<IReadOnlyList<double>> Likeness(IReadOnlyList<string>[] said, string[] classes, ITextEmbedder embedder)
    {
        string[] distinct = [.. said.SelectMany(s => s).Distinct()];
        var rows = distinct.Length == 0 ? [] : distinct.Zip(TextSimilarity.Matrix(distinct, classes, embedder)).ToDictionary(p => p.First, p => p.Second);
        return [.. said.Select(s => (double[])[.. Enumerable.Range(0, classes.Length).Select(c => s.Select(l => rows[l][c]).DefaultIfEmpty(-1).Max())])];
    }
}
