namespace FlamingoSharp.Training.Sounds;

/// <summary>A small random generator whose numbers are the same on every machine and version.</summary>
/// <remarks>Source: SplitMix64 (Steele, Lea, Flood 2014); texts are hashed with FNV-1a.</remarks>
internal struct SplitMix(ulong seed)
{
    private ulong _state = seed;

    /// <summary>A generator that depends on a text and a number only.</summary>
    public static SplitMix For(string text, ulong salt = 0)
    {
        ulong hash = 14695981039346656037;
        foreach (char c in text)
            hash = (hash ^ c) * 1099511628211;
        return new(hash + salt * 0xD1342543DE82EF95);
    }

    /// <summary>A generator of .NET's for one place (an epoch, a step, a sound) of a run; the same in every process.</summary>
    public static Random At(long seed, long place) => new((int)For("place", (ulong)(seed ^ (place << 20))).Next());

    public ulong Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Even in [0, 1).</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Even in 0 … count - 1.</summary>
    public int Next(int count) => (int)(NextDouble() * count);

    /// <summary>Puts items into a random order.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }
}
