using System.Numerics;
using System.Runtime.InteropServices;

namespace FlamingoSharp.Training.DataSets;

/// <summary>Finds sounds that are the same recording, or nearly.</summary>
/// <remarks>
/// Nearly the same are two sounds of about one length whose spectrograms have a cosine above 0.995, beginning with beginning: copies at another
/// level, rate or bit rate. A recording that was cut elsewhere is not found.
/// </remarks>
internal static class NearDuplicates
{
    private const float Alike = 0.995f, CoarselyAlike = 0.98f;
    private const double LengthTolerance = 0.03;

    /// <summary>The group of each sound; sounds that are alike, or alike to a third, have one.</summary>
    /// <param name="facts">Sounds; those without print are compared by content alone.</param>
    /// <returns>For each sound the lowest index in its group.</returns>
    public static int[] Groups(IReadOnlyList<SoundFacts> facts)
    {
        int[] parent = [.. Enumerable.Range(0, facts.Count)];
        foreach (var same in Enumerable.Range(0, facts.Count).Where(i => facts[i].Error is null).GroupBy(i => (facts[i].Hash, facts[i].Stretch.Start)))
        {
            foreach (int other in same.Skip(1))
                Join(parent, same.First(), other);
        }
        foreach (var (a, b) in Pairs(facts))
            Join(parent, a, b);
        return [.. parent.Select((_, i) => Root(parent, i))];
    }

    /// <summary>Pairs of sounds that are nearly the same; of equal length and content among them.</summary>
    public static IEnumerable<(int First, int Second)> Pairs(IReadOnlyList<SoundFacts> facts)
    {
        int[] byLength = [.. Enumerable.Range(0, facts.Count).Where(i => facts[i].Print is not null).OrderBy(i => facts[i].Seconds)];
        for (int a = 0; a < byLength.Length; a++)
        {
            var one = facts[byLength[a]];
            for (int b = a + 1; b < byLength.Length && facts[byLength[b]].Seconds <= one.Seconds * (1 + LengthTolerance) + 0.01; b++)
            {
                if (AreAlike(one, facts[byLength[b]]))
                    yield return (Math.Min(byLength[a], byLength[b]), Math.Max(byLength[a], byLength[b]));
            }
        }
    }

    private static bool AreAlike(SoundFacts a, SoundFacts b)
    {
        if (Dot(a.CoarsePrint, b.CoarsePrint) < CoarselyAlike)
            return false;
        int common = Math.Min(a.Print!.Length, b.Print!.Length);
        ReadOnlySpan<float> one = a.Print.AsSpan(0, common), other = b.Print.AsSpan(0, common);
        return Dot(one, other) > Alike * Math.Sqrt(Dot(one, one) * Dot(other, other));
    }

    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var left = MemoryMarshal.Cast<float, Vector<float>>(a);
        var right = MemoryMarshal.Cast<float, Vector<float>>(b);
        var sum = Vector<float>.Zero;
        for (int i = 0; i < left.Length; i++)
            sum += left[i] * right[i];
        float result = Vector.Sum(sum);
        for (int i = left.Length * Vector<float>.Count; i < a.Length; i++)
            result += a[i] * b[i];
        return result;
    }

    private static int Root(int[] parent, int i)
    {
        while (parent[i] != i)
            i = parent[i] = parent[parent[i]];
        return i;
    }

    private static void Join(int[] parent, int a, int b)
    {
        (a, b) = (Root(parent, a), Root(parent, b));
        parent[Math.Max(a, b)] = Math.Min(a, b);
    }
}
