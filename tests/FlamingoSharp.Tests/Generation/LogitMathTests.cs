using CsCheck;
using FlamingoSharp.Generation;

namespace FlamingoSharp.Tests.Generation;

public sealed class LogitMathTests
{
    [Fact]
    public void The_first_of_equal_maxima_wins() =>
        Gen.Int[-5, 5].Select(i => (float)i).Array[1, 70].Sample(logits => Assert.Equal(Array.IndexOf(logits, logits.Max()), LogitMath.ArgMax(logits)));

    [Fact]
    public void The_kth_largest_is_that_of_a_sort() =>
        Gen.Select(Gen.Int[-20, 20].Select(i => (float)i).Array[1, 80], Gen.Int[0, 79]).Sample((values, at) =>
        {
            int k = (at % values.Length) + 1;
            Assert.Equal(values.OrderDescending().ElementAt(k - 1), LogitMath.KthLargest(values, k, new float[k]));
        });

    [Fact]
    public void Sortable_bits_sort_as_the_numbers() =>
        Gen.Select(Gen.Float, Gen.Float).Where((a, b) => !float.IsNaN(a) && !float.IsNaN(b)).Sample((a, b) =>
            Assert.Equal(a.CompareTo(b), LogitMath.Sortable(a).CompareTo(LogitMath.Sortable(b))));

    [Fact]
    public void The_two_zeros_are_equal() => Assert.Equal(LogitMath.Sortable(0f), LogitMath.Sortable(-0f));

    [Fact]
    public void Log_sum_exp_does_not_overflow()
    {
        Assert.Equal(1000 + Math.Log(2), LogitMath.LogSumExp([1000, 1000]), 1e-12);
        Assert.Equal(-1000 + Math.Log(2), LogitMath.LogSumExp([-1000, float.NegativeInfinity, -1000]), 1e-12);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(32)] // the last one, past the vector lanes
    public void Logits_that_are_no_numbers_are_refused(int position)
    {
        float[] logits = new float[33];
        logits[position] = float.NaN;
        var error = Assert.Throws<FlamingoException>(() => LogitMath.ArgMax(logits));
        Assert.Equal(FlamingoErrorKind.Model, error.Kind);
        Assert.Equal(
            "The model's logits are not numbers (the largest is NaN), so no token can be chosen: check the weights, or compute in a wider type such as float32.",
            error.Message);
        logits[position] = float.PositiveInfinity;
        Assert.Throws<FlamingoException>(() => LogitMath.ArgMax(logits));
    }
}
