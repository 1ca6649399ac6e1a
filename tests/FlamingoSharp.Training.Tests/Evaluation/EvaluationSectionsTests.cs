using FlamingoSharp.Training.Evaluation;

namespace FlamingoSharp.Training.Tests.Evaluation;

/// <summary>The page about an evaluation.</summary>
public sealed class EvaluationSectionsTests
{
    [Fact]
    public void A_row_shows_its_scores_prompt_and_right_and_wrong_answers_with_their_pictures()
    {
        var row = Row(("rain", "rain"), ("rain", "wind"), ("wind", "wind"), ("wind", "what?")) with
        {
            Samples = [.. Enumerable.Range(0, 5).Select(i => new Prediction($"{i}", $"/sounds/{i}.wav", "What is it?", "rain", i < 4 ? "rain" : "<wind>", i < 4))],
            Published = [new("Audio Flamingo 1", 83, "a table")],
            PublishedMeasure = "exact",
        };
        string html = new EvaluationSections(p => p.Id == "4" ? [1, 2, 3] : null).Row(row).Html;
        Assert.Contains("<p>exact 50.0 %, contains 75.0 %; 0.0 % of the answers were cut off.</p>", html, StringComparison.Ordinal);
        Assert.Contains("<p>exact of Audio Flamingo 1: 83 (a table)</p>", html, StringComparison.Ordinal);
        Assert.Contains("<pre>ask\nhere</pre>", html, StringComparison.Ordinal);
        Assert.Contains("title=\"rain answered as wind: 1 of 2\">1</td>", html, StringComparison.Ordinal);
        Assert.Contains("title=\"wind answered as (no label): 1 of 2\">1</td>", html, StringComparison.Ordinal);
        Assert.Equal(3, html.Split("<div class=\"answer right\">").Length - 1);
        Assert.Contains("<div class=\"answer wrong\"><h3>4.wav</h3>\n<img alt=\"Spectrogram of 4.wav\" src=\"data:image/png;base64,AQID\">", html, StringComparison.Ordinal);
        Assert.Contains("&lt;wind&gt;", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_many_labels_the_least_frequent_are_folded_together_and_no_answer_is_lost()
    {
        // Label i is right i + 1 times and always taken for the next one.
        var answers = Enumerable.Range(0, 20).SelectMany(i => Enumerable.Repeat(($"l{i:00}", (string?)$"l{(i + 1) % 20:00}"), i + 1)).ToArray();
        string html = new EvaluationSections(_ => null).Row(Row(answers)).Html;
        Assert.Contains("<th>l19</th>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<th>l05</th>", html, StringComparison.Ordinal);
        Assert.Contains("(other) stands for the 7 least frequent of 20 answers", html, StringComparison.Ordinal);
        Assert.Contains("title=\"l18 answered as l19: 19 of 19\">19</td>", html, StringComparison.Ordinal);
        Assert.Contains("title=\"l19 answered as l00: 20 of 20\">20</td>", html, StringComparison.Ordinal);
        Assert.Contains("title=\"l00 answered as (other): 1 of 1\">1</td>", html, StringComparison.Ordinal);
        Assert.Contains("<td class=\"mixed\"", html, StringComparison.Ordinal); // who can say how many of these are right?
        int all = System.Text.RegularExpressions.Regex.Matches(html, "\">(\\d+)</td>").Sum(m => int.Parse(m.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(answers.Length, all);
    }

    [Fact]
    public void Free_answers_have_no_matrix() =>
        Assert.DoesNotContain("confusion", new EvaluationSections(_ => null).Row(Row(("a", "b")) with { Kind = AnswerKind.Free }).Html, StringComparison.Ordinal);

    [Fact]
    public void Accuracy_has_three_columns()
    {
        var with = Row(("a", "b")) with { Scores = new Dictionary<string, double> { ["exact"] = 0.25, ["contains"] = 0.5, ["nearest_label"] = 0.75 } };
        var table = EvaluationTables.Accuracies([with, Row(("a", "b"))])!;
        Assert.Equal(["row", "exact", "contains", "nearest label"], table.Head.Take(4));
        Assert.Equal(["things", "25.0 %", "50.0 %", "75.0 %"], table.Rows[0].Take(4));
        Assert.Equal(["things", "50.0 %", "75.0 %", "–"], table.Rows[1].Take(4));
        Assert.Null(EvaluationTables.Accuracies([with with { Kind = AnswerKind.Caption, Confusion = null }]));
    }

    [Fact]
    public void Samples_are_of_both_kinds_and_from_all_over_the_row()
    {
        Prediction[] Mixed(int right, int wrong) => [.. Enumerable.Range(0, right + wrong).Select(i => new Prediction($"{i}", "", "", "", "", i < right))];
        Assert.Equal(["0", "18", "36", "54", "72", "90", "92", "94", "96", "98"], RowReporter.Sampled(Mixed(90, 10)).Select(p => p.Id));
        Assert.Equal((8, 2), (RowReporter.Sampled(Mixed(90, 2)).Count(p => p.Right == true), RowReporter.Sampled(Mixed(90, 2)).Count(p => p.Right == false)));
        Assert.Equal((1, 9), (RowReporter.Sampled(Mixed(1, 90)).Count(p => p.Right == true), RowReporter.Sampled(Mixed(1, 90)).Count(p => p.Right == false)));
        Assert.Equal(3, RowReporter.Sampled(Mixed(2, 1)).Count());
    }

    private static RowReport Row(params (string, string?)[] answers)
    {
        string[] labels = [.. answers.Select(a => a.Item1).Distinct()];
        return new()
        {
            Name = "things",
            Kind = AnswerKind.Label,
            Items = answers.Length,
            Headline = "exact",
            Scores = new Dictionary<string, double> { ["exact"] = 0.5, ["contains"] = 0.75 },
            Baselines = new Dictionary<string, IReadOnlyDictionary<string, double>>(),
            Prompt = "ask\nhere",
            CutOff = 0,
            Confusion = ConfusionReport.Of(new([.. answers.Select(a => (a.Item1, a.Item2 is { } given && labels.Contains(given) ? given : null))])),
            Samples = [],
        };
    }
}
