using FlamingoSharp.Training.Sounds;

namespace FlamingoSharp.Training.Tests.Sounds;

public sealed class SamplingWeightsTests
{
    [Theory]
    [InlineData(1.0, 0.9)]  // as many as there are: 90 of 100
    [InlineData(0.5, 0.75)] // 3 : 1 in place of 9 : 1
    [InlineData(0.0, 0.5)]  // all concepts equal
    public void Caps_the_share_of_a_common_concept(double exponent, double share)
    {
        var weights = new SamplingWeights([.. Clips("keys", 90), .. Clips("owl", 10)], new() { ConceptExponent = exponent }).Weights;
        Assert.Equal(1, weights.Values.Sum(), 9);
        Assert.Equal(share, weights.Where(w => w.Key.StartsWith("keys", StringComparison.Ordinal)).Sum(w => w.Value), 9);
    }

    [Fact]
    public void Gives_every_category_its_share_and_leaves_that_of_missing_ones_to_the_others()
    {
        var options = new SamplingOptions { CategoryShares = new Dictionary<string, double> { ["sound"] = 0.3, ["music"] = 0.2, ["tone"] = 0.5 } };
        var weights = new SamplingWeights([.. Clips("owl", 5), .. Clips("flute", 50, "music")], options).Weights;
        Assert.Equal(0.6, weights.Where(w => w.Key.StartsWith("owl", StringComparison.Ordinal)).Sum(w => w.Value), 9);
    }

    [Fact]
    public void Draws_weak_labels_less_often()
    {
        Clip[] clips = [.. Clips("owl", 2)];
        clips[1] = clips[1] with { LabelQuality = "weak" };
        var weights = new SamplingWeights(clips, new() { WeakLabels = 0.25 }).Weights;
        Assert.Equal(4, weights["owl0"] / weights["owl1"], 9);
    }

    [Fact]
    public void Draws_in_proportion_to_the_weights()
    {
        SamplingWeights weights = new([.. Clips("keys", 90), .. Clips("owl", 10)], new() { ConceptExponent = 0.5 });
        SplitMix random = new(7);
        int owls = 0;
        for (int i = 0; i < 10000; i++)
            owls += weights.Draw(ref random).Id.StartsWith("owl", StringComparison.Ordinal) ? 1 : 0;
        Assert.InRange(owls, 2300, 2700);
    }

    [Fact]
    public void Refuses_shares_that_leave_nothing_to_draw()
    {
        var error = Assert.Throws<FlamingoException>(() =>
            new SamplingWeights(Clips("owl", 2), new() { CategoryShares = new Dictionary<string, double> { ["speech"] = 1 } }));
        Assert.Equal("None of the 2 sounds has a share in the sampling: give a share to one of speech.", error.Message);
    }

    private static IEnumerable<Clip> Clips(string concept, int count, string domain = "sound") => Enumerable.Range(0, count)
        .Select(i => new Clip { Id = $"{concept}{i}", Concept = concept, Domain = domain, Labels = [concept], LabelQuality = "strong" });
}
