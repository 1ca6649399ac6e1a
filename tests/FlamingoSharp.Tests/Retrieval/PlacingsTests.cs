using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Tests.Retrieval;

public sealed class PlacingsTests
{
    [Fact] // by hand: right items at places 1 and 3
    public void Recall_and_average_precision_follow_from_the_places()
    {
        var found = Placings.Of([.9f, .5f, .4f, .1f], i => i is 0 or 2);
        Assert.Equal([1, 3], found.Places);
        Assert.Equal((1 + (2 / 3.0)) / 2, found.AveragePrecision(), 12);
        Assert.Equal((1 + (2 / 3.0)) / 2, found.AveragePrecision(10), 12);
        Assert.Equal(1, found.AveragePrecision(1), 12);

        var second = Placings.Of([.3f, .8f, .2f, .1f], i => i == 0);
        Assert.Equal((false, true), (second.IsWithin(1), second.IsWithin(2)));
        Assert.Equal((0.5, 0.0), (second.AveragePrecision(), second.AveragePrecision(1)));
    }

    [Fact]
    public void What_finds_everything_alike_finds_nothing()
    {
        Assert.Equal([3, 4], Placings.Of([1, 1, 1, 1], i => i < 2).Places);
        var none = Placings.Of([1, 2], _ => false);
        Assert.Equal((false, 0.0), (none.IsWithin(2), none.AveragePrecision()));
    }
}
