using FlamingoSharp.Training.Evaluation;

namespace FlamingoSharp.Training.Tests.Evaluation;

/// <summary>Scores of labels. "sklearn" values are of scikit-learn 1.2.1, run once on the numbers that stand beside them.</summary>
public sealed class LabelMetricTests
{
    private static readonly string[] s_classes = ["a", "b", "c"];

    private static readonly int[,] s_expected = { { 1, 0, 1 }, { 0, 1, 0 }, { 1, 1, 0 }, { 0, 0, 1 }, { 1, 0, 0 }, { 0, 1, 0 } };

    private static readonly int[,] s_given = { { 1, 0, 0 }, { 0, 1, 1 }, { 1, 0, 0 }, { 0, 0, 1 }, { 0, 0, 1 }, { 1, 0, 0 } };

    private static readonly double[][] s_scores = [[.9, .2, .4], [.8, .7, .1], [.4, .7, .6], [.4, .5, .6], [.3, .1, .2], [.1, .05, .9]];

    private static readonly (string Expected, string? Given)[] s_answers =
    [
        ("cat", "cat"), ("cat", "dog"), ("cat", "cat"), ("dog", "dog"), ("dog", "cat"),
        ("bird", "bird"), ("bird", "bird"), ("bird", "cat"), ("bird", "dog"), ("fish", "cat"),
    ];

    [Fact] // f1_score(y, p, average="micro" | "macro")
    public void Multi_label_F1_is_that_of_sklearn()
    {
        var score = MultiLabelF1.Score(Sets(s_expected), Sets(s_given), s_classes);
        Assert.Equal(0.5333333333333333, score.Micro, 12);
        Assert.Equal(0.5222222222222221, score.Macro, 12);
    }

    [Fact] // by hand: 1 right of 1 expected and 2 given
    public void A_label_that_nobody_knows_counts_as_wrong()
    {
        var score = MultiLabelF1.Score([new HashSet<string> { "rain" }], [new HashSet<string> { "rain", "hail" }]);
        Assert.Equal((2 / 3.0, 1.0), (score.Micro, score.Macro));
    }

    [Fact]
    public void F1_needs_an_answer_for_each_item()
    {
        var error = Assert.Throws<FlamingoException>(() => MultiLabelF1.Score(Sets(s_expected), []));
        Assert.Equal("F1 compares answers one by one, but got 0 answers for 6 items.", error.Message);
    }

    [Fact] // average_precision_score(y[:, c], s[:, c]) and average="macro"
    public void Average_precision_is_that_of_sklearn()
    {
        double[] each = [.. Enumerable.Range(0, 3).Select(c => AveragePrecision.Of([.. s_scores.Select(s => s[c])], [.. Enumerable.Range(0, 6).Select(i => s_expected[i, c] == 1)]))];
        Assert.Equal([0.7, 0.8333333333, 0.4166666667], each.Select(a => Math.Round(a, 10)));
        Assert.Equal(0.65, AveragePrecision.Mean(s_scores, [.. Enumerable.Range(0, 6).Select(i => (bool[])[.. Enumerable.Range(0, 3).Select(c => s_expected[i, c] == 1)])]), 12);
    }

    [Fact] // by hand: of three tied items two belong: 2/3 of the class at precision 2/3; then the third of four: 1/3 at 3/4. sklearn: 0.6944444444
    public void Equal_scores_are_taken_together() =>
        Assert.Equal((2 / 3.0 * 2 / 3.0) + (1 / 3.0 * 3 / 4.0), AveragePrecision.Of([.5, .5, .5, .2, .1], [true, false, true, true, false]), 12);

    [Fact]
    public void Classes_without_items_are_left_out_of_the_mean()
    {
        Assert.Equal(1, AveragePrecision.Mean([[.9, .1], [.2, .8]], [[true, false], [false, false]]));
        var error = Assert.Throws<FlamingoException>(() => AveragePrecision.Mean([[.9]], [[false]]));
        Assert.Equal("mAP needs at least 1 class with an item that belongs to it, but got none.", error.Message);
    }

    [Fact] // balanced_accuracy_score, f1_score(average="macro"); accuracy by hand: 5 of 10
    public void The_confusion_matrix_scores_as_sklearn()
    {
        var matrix = new ConfusionMatrix(s_answers);
        Assert.Equal(["bird", "cat", "dog", "fish"], matrix.Labels);
        Assert.Equal(0.5, matrix.Accuracy);
        Assert.Equal(0.41666666666666663, matrix.BalancedAccuracy, 12);
        Assert.Equal(0.3916666666666666, matrix.MacroF1, 12);
        Assert.Equal((2, 1, 1, 0), (matrix["bird", "bird"], matrix["bird", "cat"], matrix["fish", "cat"], matrix["cat", "fish"]));
    }

    [Fact] // by hand
    public void Answers_that_are_no_label_are_wrong_and_counted()
    {
        var matrix = new ConfusionMatrix([("yes", "yes"), ("yes", null), ("no", "no"), ("no", "no")]);
        Assert.Equal((0.75, 0.75, 0.25, 1), (matrix.Accuracy, matrix.BalancedAccuracy, matrix.Unparsed, matrix["yes", null]));
    }

    [Fact] // by hand: yes 1 of 1, no 1 of 3
    public void Balanced_accuracy_does_not_reward_saying_yes() =>
        Assert.Equal((1 + (1 / 3.0)) / 2, new ConfusionMatrix([("yes", "yes"), ("no", "yes"), ("no", "yes"), ("no", "no")]).BalancedAccuracy, 12);

    [Fact] // by hand: cosines 1, 0.8 (not above it) and 0.6, and an empty answer: 1 hit, 3 answers, 4 items
    public void F1approx_counts_answers_that_mean_nearly_the_same()
    {
        var embedder = new Table(new() { ["dog"] = [1, 0], ["hound"] = [2, 0], ["bark"] = [4, 3], ["rain"] = [0, 1], ["wind"] = [.8f, .6f] });
        Assert.Equal(2.0 * 1 / (3 + 4), F1Approx.Score(["dog", "dog", "rain", "dog"], ["hound", "bark", "wind", ""], embedder), 12);
        Assert.Equal(0, F1Approx.Score(["dog"], [""], embedder));
    }

    [Fact]
    public void The_nearest_label_is_the_one_at_the_smallest_angle()
    {
        var embedder = new Table(new() { ["dog"] = [1, 0], ["rain"] = [0, 1], ["bark"] = [4, 3], ["drops"] = [1, 9] });
        Assert.Equal(["dog", "rain", "dog"], TextSimilarity.Nearest(["bark", "drops", "bark"], ["dog", "rain"], embedder));
    }

    private static IReadOnlySet<string>[] Sets(int[,] rows) =>
        [.. Enumerable.Range(0, rows.GetLength(0)).Select(i => Enumerable.Range(0, 3).Where(c => rows[i, c] == 1).Select(c => s_classes[c]).ToHashSet())];

    private sealed class Table(Dictionary<string, float[]> vectors) : ITextEmbedder
    {
        public string Name => "a table";

        public IReadOnlyList<float[]> Embed(IReadOnlyList<string> texts) => [.. texts.Select(t => vectors[t])];
    }
}
