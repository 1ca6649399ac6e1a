using System.Numerics;

namespace FlamingoSharp.Audio;

/// <summary>Changes the rate of a signal by band-limited interpolation, the way the reference's <c>kaiser_best</c> does, in double precision.</summary>
/// <remarks>
/// A windowed sinc of 64 zero crossings is tabulated at 512 points a crossing and read by linear interpolation
/// (J. O. Smith, "Digital audio resampling"; resampy 0.2, which librosa 0.8.0 uses). When the rate goes down the table is read in whole steps,
/// <c>floor(512 * ratio)</c>, which stretches the filter a little: that is part of the reference's numbers. Measured with sines up to 0.85 of the
/// lower Nyquist frequency: going up, errors stay below 1e-5; going down, below 2e-3 (48 to 44.1 kHz) to 1.6e-2 (192 to 16 kHz), and what lies
/// above 1.05 of the new Nyquist frequency is at most 1e-3 of its strength.
/// </remarks>
public static class Resampler
{
    /// <summary>Lowest rate that is taken for a sound's, in Hz.</summary>
    public const int LowestRate = 1000;

    /// <summary>Highest rate that is taken for a sound's, in Hz.</summary>
    public const int HighestRate = 1_536_000;

    private const int ChunkSamples = 1 << 14;
    private const int MostCoefficients = 1 << 21; // 16 MiB of ready filters

    /// <summary>Resamples a signal.</summary>
    /// <param name="signal">Mono samples at <paramref name="from"/> Hz; returned as it is when both rates are equal.</param>
    /// <param name="from">Rate of the signal, in Hz.</param>
    /// <param name="to">Rate wanted, in Hz.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns><c>ceil(samples * to / from)</c> samples; the last is 0 where that is more than the floor.</returns>
    /// <exception cref="FlamingoException">A rate is outside <see cref="LowestRate"/> to <see cref="HighestRate"/>, or the result does not fit one array.</exception>
    public static double[] Resample(double[] signal, int from, int to, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(signal);
        CheckRate(from, "The signal");
        CheckRate(to, "The wanted signal");
        if (from == to)
            return signal;
        double ratio = (double)to / from;
        double length = Math.Ceiling(signal.Length * ratio);
        if (length > Array.MaxLength)
            throw new FlamingoException(FlamingoErrorKind.Input, $"{signal.Length} samples at {from} Hz are too many to be resampled to {to} Hz at once; name a start and a duration.");
        double[] output = new double[(int)length];
        int computed = (int)(signal.Length * ratio);

        var filter = new KaiserFilter(ratio);
        var bank = PolyphaseBank.TryCreate(filter, from, to, computed, MostCoefficients);
        int chunks = (computed + ChunkSamples - 1) / ChunkSamples;
        // Every output depends on the input alone, so the number of threads never changes a bit of the result.
        Parallel.For(0, chunks, new ParallelOptions { CancellationToken = cancellation }, chunk =>
        {
            int end = Math.Min(computed, (chunk + 1) * ChunkSamples);
            for (int t = chunk * ChunkSamples; t < end; t++)
                output[t] = bank is null ? filter.Interpolate(signal, t) : bank.Interpolate(signal, t);
        });
        return output;
    }

    internal static void CheckRate(int rate, string name)
    {
        if (rate is < LowestRate or > HighestRate)
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{name}' is sampled at {rate} Hz; rates from {LowestRate} to {HighestRate} Hz can be read.");
    }
}

/// <summary>The tabulated half filter for one ratio, and the interpolation as it is defined.</summary>
internal sealed class KaiserFilter
{
    private const int Crossings = 64;
    private const int PointsPerCrossing = 512;
    private const double Beta = 14.769656459379492;
    private const double Rolloff = 0.9475937167399596;

    private static readonly Lazy<double[]> HalfFilter = new(Tabulate);

    private readonly double[] _values;
    private readonly double[] _differences;

    public KaiserFilter(double ratio)
    {
        Ratio = ratio;
        Scale = Math.Min(1, ratio);
        Step = (int)(PointsPerCrossing * Scale);
        _values = [.. HalfFilter.Value.Select(h => ratio < 1 ? h * ratio : h)];
        _differences = new double[_values.Length]; // the last stays 0
        for (int j = 0; j + 1 < _values.Length; j++)
            _differences[j] = _values[j + 1] - _values[j];
    }

    public double Ratio { get; }

    public double Scale { get; }

    private int Step { get; }

    /// <summary>Output sample <paramref name="t"/> by the formula.</summary>
    public double Interpolate(double[] signal, int t)
    {
        double time = t / Ratio;
        int at = (int)time;
        double fraction = Scale * (time - at);
        double sum = 0;
        var (offset, weight, count) = Wing(fraction);
        for (int i = 0; i < Math.Min(count, at + 1); i++)
            sum += Coefficient(offset + (i * Step), weight) * signal[at - i];
        (offset, weight, count) = Wing(Scale - fraction);
        for (int i = 0; i < Math.Min(count, signal.Length - 1 - at); i++)
            sum += Coefficient(offset + (i * Step), weight) * signal[at + 1 + i];
        return sum;
    }

    /// <summary>The coefficients of one wing, nearest sample first.</summary>
    /// <param name="fraction">Distance to that sample, in input samples times <see cref="Scale"/>.</param>
    public double[] Coefficients(double fraction)
    {
        var (offset, weight, count) = Wing(fraction);
        double[] wing = new double[count];
        for (int i = 0; i < count; i++)
            wing[i] = Coefficient(offset + (i * Step), weight);
        return wing;
    }

    private (int Offset, double Weight, int Count) Wing(double fraction)
    {
        double position = fraction * PointsPerCrossing;
        int offset = (int)position;
        return (offset, position - offset, (_values.Length - offset) / Step);
    }

    private double Coefficient(int point, double weight) => _values[point] + (weight * _differences[point]);

    private static double[] Tabulate()
    {
        const int last = Crossings * PointsPerCrossing;
        double[] half = new double[last + 1];
        for (int j = 0; j <= last; j++)
        {
            double x = Rolloff * j / PointsPerCrossing, edge = (double)j / last;
            double sinc = j == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);
            half[j] = Rolloff * sinc * BesselI0(Beta * Math.Sqrt(1 - (edge * edge))) / BesselI0(Beta);
        }
        return half;
    }

    // Power series; all terms are positive, so it is exact to the last digits for the arguments of a window.
    private static double BesselI0(double x)
    {
        double sum = 1, term = 1;
        for (int k = 1; term > sum * 1e-17; k++)
        {
            term *= x * x / (4.0 * k * k);
            sum += term;
        }
        return sum;
    }
}

/// <summary>Ready filters for every phase of a rational ratio: an output is then one product of two contiguous runs.</summary>
internal sealed class PolyphaseBank
{
    private readonly KaiserFilter _filter;
    private readonly int _phases; // outputs and inputs after which the phases repeat
    private readonly int _advance;
    private readonly double[][] _filters; // left wing reversed, then the right wing
    private readonly int[] _lefts;

    private PolyphaseBank(KaiserFilter filter, int phases, int advance)
    {
        (_filter, _phases, _advance) = (filter, phases, advance);
        _filters = new double[phases][];
        _lefts = new int[phases];
        for (int phase = 0; phase < phases; phase++)
        {
            double fraction = filter.Scale * ((double)phase / phases);
            double[] left = filter.Coefficients(fraction), right = filter.Coefficients(filter.Scale - fraction);
            _filters[phase] = [.. left.Reverse(), .. right];
            _lefts[phase] = left.Length;
        }
    }

    /// <summary>The bank for a pair of rates; null where it would be larger than the work it saves.</summary>
    public static PolyphaseBank? TryCreate(KaiserFilter filter, int from, int to, int outputs, int mostCoefficients)
    {
        int divisor = (int)BigInteger.GreatestCommonDivisor(from, to);
        int phases = to / divisor;
        long coefficients = 2L * filter.Coefficients(0).Length * phases;
        return coefficients > mostCoefficients || phases > outputs ? null : new PolyphaseBank(filter, phases, from / divisor);
    }

    public double Interpolate(double[] signal, int t)
    {
        // The formula divides in floating point. Where that falls just below a whole number it takes the neighbouring sample,
        // and its filter is not symmetric: follow it there.
        long exact = (long)t * _advance;
        int at = (int)(exact / _phases), phase = (int)(exact % _phases);
        if ((int)(t / _filter.Ratio) != at)
            return _filter.Interpolate(signal, t);

        var filter = _filters[phase].AsSpan();
        int first = at - _lefts[phase] + 1;
        if (first < 0)
        {
            filter = filter[Math.Min(-first, filter.Length)..];
            first = 0;
        }
        int count = Math.Min(filter.Length, signal.Length - first);
        return Dot(filter[..count], signal.AsSpan(first, count));
    }

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        int width = Vector<double>.Count, i = 0;
        Vector<double> s0 = default, s1 = default, s2 = default, s3 = default;
        for (; i <= a.Length - (4 * width); i += 4 * width)
        {
            s0 += new Vector<double>(a[i..]) * new Vector<double>(b[i..]);
            s1 += new Vector<double>(a[(i + width)..]) * new Vector<double>(b[(i + width)..]);
            s2 += new Vector<double>(a[(i + (2 * width))..]) * new Vector<double>(b[(i + (2 * width))..]);
            s3 += new Vector<double>(a[(i + (3 * width))..]) * new Vector<double>(b[(i + (3 * width))..]);
        }
        double sum = Vector.Sum(s0 + s1 + (s2 + s3));
        for (; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }
}
