namespace FlamingoSharp.Generation;

/// <summary>
/// The random numbers of one sequence: the n-th depends only on the seed, the sequence's number under its prompt and n,
/// so that a sequence draws the same in any batch, in any order, on any machine.
/// </summary>
internal readonly struct DrawStream(long seed, int sequence)
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    // Hashing between the two additions keeps neighbouring seeds and neighbouring sequences apart.
    private readonly ulong _key = Mix(Mix((ulong)seed + Golden) + ((ulong)sequence * Golden));

    /// <summary>The n-th number, 0 &lt;= u &lt; 1, with 53 random bits.</summary>
    public double At(int n) => (Mix(_key + ((ulong)(n + 1) * Golden)) >> 11) * (1.0 / (1ul << 53));

    /// <summary>The finaliser of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).</summary>
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
