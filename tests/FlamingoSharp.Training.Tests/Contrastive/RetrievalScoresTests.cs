namespace FlamingoSharp.Training.Tests.Contrastive;

public sealed class RetrievalScoresTests
{
    private static readonly float[] s_east = [1, 0], s_north = [0, 1], s_west = [-1, 0], s_northEast = [0.8f, 0.6f];

    // Three sounds, two texts; counted by hand.
    [Fact]
    public void Recall_counts_what_is_among_the_nearest_both_ways()
    {
        var scores = RetrievalScores.Recall([s_east, s_northEast, s_west], [s_east, s_north], [[0], [1], [1]]);
        Assert.Equal(2.0 / 3, scores["sound to text R@1"], 1e-9);   // the second lies nearer to the first text
        Assert.Equal(1, scores["sound to text R@5"], 1e-9);
        Assert.Equal(1, scores["text to sound R@1"], 1e-9);         // of the second text's sounds, one is the nearest
        Assert.Equal(["sound to text R@1", "sound to text R@5", "sound to text R@10", "text to sound R@1", "text to sound R@5", "text to sound R@10"], scores.Keys);
    }

    [Fact]
    public void A_model_that_finds_everything_alike_finds_nothing()
    {
        float[][] same = [.. Enumerable.Repeat(s_east, 20)];
        var scores = RetrievalScores.Recall(same, same, [.. Enumerable.Range(0, 20).Select(i => new[] { i })]);
        Assert.All(scores.Values, s => Assert.Equal(0, s));
    }

    [Fact]
    public void Accuracy_is_the_share_whose_own_label_is_nearest() =>
        Assert.Equal(0.5, RetrievalScores.Accuracy([s_east, s_northEast], [s_east, s_north], [[0], [1]]), 1e-9);

    [Fact]
    public void Any_of_a_sounds_texts_is_right()
    {
        var scores = RetrievalScores.Recall([s_east, s_northEast], [s_east, s_north], [[0, 1], [1, 0]]);
        Assert.All(scores.Values, s => Assert.Equal(1, s));
        Assert.Equal(1, RetrievalScores.Accuracy([s_east, s_northEast], [s_east, s_north], [[0], [0, 1]]), 1e-9);
    }
}
