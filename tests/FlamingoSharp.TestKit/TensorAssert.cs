using System.Globalization;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace FlamingoSharp.TestKit;

/// <summary>Compares tensors with golden ones; a failure says where and by how much.</summary>
public static class TensorAssert
{
    /// <summary>Every element within an absolute tolerance; NaN equals only NaN, infinities only themselves.</summary>
    public static void Close(Tensor expected, Tensor actual, double tolerance, string what = "tensor")
    {
        Assert.True(expected.shape.SequenceEqual(actual.shape),
            $"{what}: expected shape [{string.Join(", ", expected.shape)}], found [{string.Join(", ", actual.shape)}]");
        using var scope = NewDisposeScope();
        double[] e = expected.detach().cpu().to_type(ScalarType.Float64).contiguous().data<double>().ToArray();
        double[] a = actual.detach().cpu().to_type(ScalarType.Float64).contiguous().data<double>().ToArray();
        Close(e, a, tolerance, what);
    }

    /// <inheritdoc cref="Close(Tensor, Tensor, double, string)"/>
    public static void Close(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, double tolerance, string what = "values")
    {
        Assert.Equal(expected.Length, actual.Length);
        int worst = -1;
        double largest = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            if (expected[i].Equals(actual[i])) // also NaN and infinities
                continue;
            double difference = Math.Abs(expected[i] - actual[i]);
            if (double.IsNaN(difference) || difference > largest)
                (worst, largest) = (i, double.IsNaN(difference) ? double.PositiveInfinity : difference);
        }
        Assert.True(largest <= tolerance, string.Create(CultureInfo.InvariantCulture,
            $"{what}: element {worst} differs by {largest:g4}, more than {tolerance:g4}: expected {(worst < 0 ? 0 : expected[worst]):r}, found {(worst < 0 ? 0 : actual[worst]):r}"));
    }

    /// <summary>Compares the sampled positions and the statistics stored under a stage's name.</summary>
    /// <remarks>Statistics are sums over all elements, so their tolerance grows with the count; positions use the plain one.</remarks>
    public static void Sampled(Weights.IWeightSource golden, string stage, Tensor actual, double tolerance)
    {
        using var scope = NewDisposeScope();
        var flat = actual.detach().reshape(-1).to_type(ScalarType.Float64);
        Close(golden.Read($"{stage}/val"), flat.index_select(0, golden.Read($"{stage}/pos")), tolerance, $"{stage}/val");
        if (!golden.Weights.ContainsKey($"{stage}/stats"))
            return;
        double[] stats = golden.Read($"{stage}/stats").data<double>().ToArray(); // [sum, sum of squares, min, max, sum |x|]
        long count = flat.numel();
        double magnitude = Math.Max(Math.Abs(stats[2]), Math.Abs(stats[3]));
        Close([stats[0]], [flat.sum().ToDouble()], count * tolerance, $"{stage}/sum");
        Close([stats[1]], [flat.pow(2).sum().ToDouble()], count * tolerance * 2 * Math.Max(1, magnitude), $"{stage}/sum of squares");
        Close([stats[2]], [flat.min().ToDouble()], tolerance, $"{stage}/min");
        Close([stats[3]], [flat.max().ToDouble()], tolerance, $"{stage}/max");
        Close([stats[4]], [flat.abs().sum().ToDouble()], count * tolerance, $"{stage}/sum of |x|");
    }
}
