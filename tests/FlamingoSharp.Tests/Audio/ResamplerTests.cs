using FlamingoSharp.Audio;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Tests.Audio;

public sealed class ResamplerTests
{
    [Theory]
    [InlineData(8000, 16000)] // few phases
    [InlineData(48000, 44100)]
    [InlineData(44100, 16000)]
    [InlineData(192000, 16000)]
    [InlineData(4000, 44100)]
    [InlineData(22051, 44100)] // more phases than are worth a bank of filters
    [InlineData(44101, 16000)]
    public void Equals_the_formula(int from, int to)
    {
        foreach (int samples in new[] { 1, 2, 7, 150, 30_011 })
        {
            double[] signal = Noise(samples);
            TensorAssert.Close(ByTheFormula(signal, from, to), Resampler.Resample(signal, from, to), 1e-9, $"{samples} samples");
        }
    }

    [Theory]
    [InlineData(4000, 44100)]
    [InlineData(8000, 16000)]
    [InlineData(11025, 44100)]
    [InlineData(22050, 44100)]
    [InlineData(32000, 44100)]
    [InlineData(44100, 48000)]
    public void A_higher_rate_keeps_the_pass_band_to_minus_100_dB(int from, int to)
    {
        foreach (double part in new[] { 0.01, 0.3, 0.6, 0.85 })
            Assert.InRange(WorstError(from, to, part * from / 2), 0, 1e-5);
    }

    // Going down, the reference reads its table in whole steps, which costs gain: up to 0.6 % at 192 to 44.1 kHz, 1.6 % at 192 to 16 kHz.
    [Theory]
    [InlineData(48000, 44100, 2e-3)]
    [InlineData(88200, 44100, 1e-7)] // a whole number of steps: no loss
    [InlineData(96000, 44100, 2e-3)]
    [InlineData(192000, 44100, 6e-3)]
    [InlineData(24000, 16000, 2e-3)]
    [InlineData(44100, 16000, 6e-3)]
    [InlineData(192000, 16000, 2e-2)]
    public void A_lower_rate_keeps_the_pass_band_and_stops_what_lies_above_by_60_dB(int from, int to, double ripple)
    {
        foreach (double part in new[] { 0.01, 0.3, 0.6, 0.85 })
            Assert.InRange(WorstError(from, to, part * to / 2), 0, ripple);
        foreach (double part in new[] { 1.05, 1.3, 1.9, 3.7 }.Where(p => p * to < from))
            Assert.InRange(WorstError(from, to, part * to / 2), 0, 1e-3);
    }

    [Theory]
    [InlineData(44100, 16000)]
    [InlineData(48000, 44100)]
    [InlineData(11025, 44100)]
    public void Gives_as_many_samples_as_the_reference(int from, int to)
    {
        for (int samples = 0; samples < 50; samples++)
            Assert.Equal((int)Math.Ceiling(samples * ((double)to / from)), Resampler.Resample(new double[samples], from, to).Length);
    }

    [Fact]
    public void The_same_signal_twice_is_bit_equal()
    {
        double[] signal = Noise(200_000);
        Assert.Equal(Resampler.Resample(signal, 48000, 44100), Resampler.Resample(signal, 48000, 44100));
    }

    [Fact]
    public void An_equal_rate_changes_nothing()
    {
        double[] signal = Noise(10);
        Assert.Same(signal, Resampler.Resample(signal, 44100, 44100));
    }

    [Fact]
    public void A_rate_out_of_range_is_refused() =>
        Assert.Equal("'The signal' is sampled at 999 Hz; rates from 1000 to 1536000 Hz can be read.",
            Assert.Throws<FlamingoException>(() => Resampler.Resample([1], 999, 16000)).Message);

    [Fact]
    public void Can_be_cancelled() =>
        Assert.ThrowsAny<OperationCanceledException>(() => Resampler.Resample(Noise(100), 8000, 16000, new CancellationToken(canceled: true)));

    private static double[] Noise(int samples)
    {
        var random = new Random(samples);
        return [.. Enumerable.Range(0, samples).Select(_ => (2 * random.NextDouble()) - 1)];
    }

    // The largest difference from the ideal output of a sine, away from the edges; above the new Nyquist frequency that is silence.
    private static double WorstError(int from, int to, double hertz)
    {
        double Sine(int t, int rate) => Math.Sin((2 * Math.PI * hertz * t / rate) + 0.3);
        double[] output = Resampler.Resample([.. Enumerable.Range(0, from / 4).Select(t => Sine(t, from))], from, to);
        int edge = output.Length / 5;
        return Enumerable.Range(edge, output.Length - (2 * edge)).Max(t => Math.Abs(output[t] - (hertz < to / 2.0 ? Sine(t, to) : 0)));
    }

    // Written from the definition, term by term, with the Bessel function as an integral: shares nothing with the code it judges.
    private static double[] ByTheFormula(double[] x, int from, int to)
    {
        double r = (double)to / from, scale = Math.Min(1, r);
        int step = (int)Math.Floor(512 * scale), n = x.Length;
        double[] h = HalfFilter.Value;
        double gain = Math.Min(1, r);
        double H(int j, double e) => gain * (h[j] + (e * (j == 32768 ? 0 : h[j + 1] - h[j])));
        double[] y = new double[(int)Math.Ceiling(n * r)];
        for (int t = 0; t < (int)Math.Floor(n * r); t++)
        {
            double time = t / r;
            int n0 = (int)Math.Floor(time);
            double f = scale * (time - n0);
            int o = (int)Math.Floor(512 * f);
            for (int i = 0; i < (32769 - o) / step && i <= n0; i++)
                y[t] += H(o + (i * step), (512 * f) - o) * x[n0 - i];
            f = scale - f;
            o = (int)Math.Floor(512 * f);
            for (int i = 0; i < (32769 - o) / step && i < n - 1 - n0; i++)
                y[t] += H(o + (i * step), (512 * f) - o) * x[n0 + 1 + i];
        }
        return y;
    }

    private static readonly Lazy<double[]> HalfFilter = new(() =>
    {
        const double rolloff = 0.9475937167399596, beta = 14.769656459379492;
        static double Bessel(double z) => Enumerable.Range(0, 64).Average(k => Math.Exp(z * Math.Cos(2 * Math.PI * k / 64))); // periodic: exact
        return [.. Enumerable.Range(0, 32769).Select(j =>
        {
            double v = Math.PI * rolloff * j / 512;
            return rolloff * (j == 0 ? 1 : Math.Sin(v) / v) * Bessel(beta * Math.Sqrt(1 - Math.Pow(j / 32768.0, 2))) / Bessel(beta);
        })];
    });
}
