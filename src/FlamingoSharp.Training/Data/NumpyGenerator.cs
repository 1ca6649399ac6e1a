using System.Numerics;
using System.Text;

namespace FlamingoSharp.Training.Data;

/// <summary>numpy's <c>default_rng(seed)</c>: the PCG64 generator whose draws order the reference's data.</summary>
/// <remarks>Source: numpy 1.24; O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms" (2014).</remarks>
public sealed class NumpyGenerator
{
    private static readonly UInt128 Multiplier = new(0x2360ed051fc65da4, 0x4385df649fccf645);

    private readonly UInt128 _increment;
    private UInt128 _state;
    private uint? _half; // the upper half of the last 64 bits, for the next 32-bit draw

    /// <summary>Starts a generator.</summary>
    public NumpyGenerator(ulong seed)
    {
        ulong[] words = Expand(seed);
        _increment = new UInt128(words[2], words[3]) << 1 | UInt128.One;
        Step();
        _state += new UInt128(words[0], words[1]);
        Step();
    }

    /// <summary>The seed that the reference gives to a text: the sum of its code points.</summary>
    public static ulong SeedOf(string text) => (ulong)text.EnumerateRunes().Sum((Rune r) => (long)r.Value);

    /// <summary>64 random bits.</summary>
    public ulong Next64()
    {
        Step();
        return ulong.RotateRight((ulong)(_state >> 64) ^ (ulong)_state, (int)(_state >> 122));
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double NextDouble() => (Next64() >> 11) * (1.0 / (1L << 53));

    /// <summary>Shuffles in place.</summary>
    public void Shuffle<T>(IList<T> items)
    {
        for (int i = items.Count - 1; i > 0; i--)
        {
            int j = (int)Below((uint)i);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>Draws one of some items.</summary>
    /// <param name="items">What to draw from.</param>
    /// <param name="probabilities">One for each item; their sum is taken as 1.</param>
    public T Choice<T>(IReadOnlyList<T> items, IReadOnlyList<double> probabilities)
    {
        double[] cumulative = new double[probabilities.Count];
        double sum = 0;
        for (int i = 0; i < cumulative.Length; i++)
            cumulative[i] = sum += probabilities[i];
        double draw = NextDouble();
        int index = Array.FindIndex(cumulative, c => c / sum > draw);
        return items[index];
    }

    // Uniform in [0, largest]: numpy masks to the next power of two and rejects.
    private uint Below(uint largest)
    {
        uint mask = uint.MaxValue >> BitOperations.LeadingZeroCount(largest);
        uint draw;
        do
            draw = Next32() & mask;
        while (draw > largest);
        return draw;
    }

    private uint Next32()
    {
        if (_half is { } half)
        {
            _half = null;
            return half;
        }
        ulong bits = Next64();
        _half = (uint)(bits >> 32);
        return (uint)bits;
    }

    private void Step() => _state = _state * Multiplier + _increment;

    // numpy's SeedSequence with a pool of four words and no spawn key; a 64-bit seed has at most two.
    private static ulong[] Expand(ulong seed)
    {
        uint constant = 0x43b0d7e5;
        uint Hash(uint value)
        {
            value ^= constant;
            constant *= 0x931e8875;
            value *= constant;
            return value ^ value >> 16;
        }
        static uint Mix(uint a, uint b)
        {
            uint r = 0xca01f9ddu * a - 0x4973f715u * b;
            return r ^ r >> 16;
        }

        uint[] pool = [Hash((uint)seed), Hash((uint)(seed >> 32)), Hash(0), Hash(0)];
        for (int source = 0; source < 4; source++)
        {
            for (int target = 0; target < 4; target++)
            {
                if (source != target)
                    pool[target] = Mix(pool[target], Hash(pool[source]));
            }
        }

        uint[] output = new uint[8];
        uint spread = 0x8b51f9dd;
        for (int i = 0; i < output.Length; i++)
        {
            uint value = pool[i % 4] ^ spread;
            spread *= 0x58f38ded;
            value *= spread;
            output[i] = value ^ value >> 16;
        }
        return [.. Enumerable.Range(0, 4).Select(i => output[2 * i] | (ulong)output[2 * i + 1] << 32)];
    }
}
