using FlamingoSharp.Audio;

namespace FlamingoSharp.Tests.Audio;

public sealed class PeakNormalizationTests
{
    [Theory]
    [InlineData(new[] { 0.25, -0.5 }, new[] { 0.5, -1 })]
    [InlineData(new[] { 0.1, -0.05 }, new[] { 1, -0.5 })]
    [InlineData(new[] { 0, 0.25, 0.5 }, new double[] { -1, 0, 1 })] // never negative: 2x/max - 1
    [InlineData(new[] { 0.2, 0.2 }, new double[] { 1, 1 })] // a constant
    [InlineData(new double[] { 0, -0.0, 0 }, new double[] { 0, 0, 0 })] // silence stays silence
    [InlineData(new[] { -1e-300, 5e-301 }, new[] { -1, 0.5 })]
    public void Scales_to_a_peak_of_exactly_one(double[] signal, double[] expected)
    {
        PeakNormalization.Apply(signal);
        Assert.Equal(expected, signal);
    }

    [Fact]
    public void Rounds_every_step_to_single_precision_where_the_reference_does()
    {
        double[] signal = [100 / 32767f, -300 / 32767f];
        PeakNormalization.Apply(signal, single: true);
        Assert.Equal([100 / 32767f / (300 / 32767f), -1], signal);
    }

    [Fact]
    public void The_16_bit_step_truncates_toward_zero_and_clips()
    {
        float[] target = new float[6];
        AudioWindows.Quantize([1, -1, 1.5, 0.99999 / 32767, -1.99999 / 32767, 0.5], target);
        Assert.Equal([1f, -1f, 1f, 0f, (float)(-1 / 32767.0), (float)(16383 / 32767.0)], target);
    }
}
