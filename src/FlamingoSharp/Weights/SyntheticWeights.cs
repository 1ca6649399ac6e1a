using System.Text;

namespace FlamingoSharp.Weights;

/// <summary>
/// The deterministic values that stand in for trained weights: any size, no download, equal on every machine.
/// </summary>
/// <remarks>
/// A SplitMix64 stream seeded with the FNV-1a-64 hash of a name; 24 bits of each word become a uniform number.
/// The same recipe made the reference vectors (tests/ReferenceVectors/README.md, "Synthetic values").
/// </remarks>
public static class SyntheticWeights
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    /// <summary>FNV-1a-64 of the UTF-8 bytes of a name; a salt, if any, stands in front of it.</summary>
    public static ulong Seed(string name)
    {
        ulong hash = 14695981039346656037;
        foreach (byte b in Encoding.UTF8.GetBytes(name))
            hash = (hash ^ b) * 1099511628211;
        return hash;
    }

    /// <summary>Fills a buffer with base + amplitude · u, u uniform in [-1, 1), computed in double and rounded to float.</summary>
    /// <param name="seed">From <see cref="Seed"/>.</param>
    /// <param name="values">Receives elements <paramref name="start"/>, <paramref name="start"/>+1, … in row-major order.</param>
    /// <param name="center">The mean of the values.</param>
    /// <param name="amplitude">Half the width of their range.</param>
    /// <param name="start">Index of the first element, so that a large tensor can be filled in pieces.</param>
    public static void Fill(ulong seed, Span<float> values, double center, double amplitude, long start = 0)
    {
        for (int i = 0; i < values.Length; i++)
        {
            double u = (Word(seed, start + i) >> 40) * (1.0 / (1 << 24));
            values[i] = (float)(center + amplitude * (2 * u - 1));
        }
    }

    /// <summary>A new array of <paramref name="count"/> values; see <see cref="Fill"/>.</summary>
    public static float[] Values(string name, long count, double center, double amplitude)
    {
        float[] values = new float[count];
        Fill(Seed(name), values, center, amplitude);
        return values;
    }

    /// <summary>Integers in [<paramref name="low"/>, <paramref name="high"/>) drawn from the stream of a name.</summary>
    public static long[] Integers(string name, long count, long low, long high)
    {
        ulong seed = Seed(name);
        long[] values = new long[count];
        for (long i = 0; i < count; i++)
            values[i] = low + (long)(((Word(seed, i) >> 40) * (ulong)(high - low)) >> 24);
        return values;
    }

    private static ulong Word(ulong seed, long index)
    {
        ulong z = unchecked(seed + (ulong)(index + 1) * Golden);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
