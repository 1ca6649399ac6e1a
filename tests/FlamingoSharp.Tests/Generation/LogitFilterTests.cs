using CsCheck;
using FlamingoSharp.Generation;

namespace FlamingoSharp.Tests.Generation;

public sealed class LogitFilterTests
{
    // Few distinct values make ties at every cut; a fine grid makes all values differ.
    private static readonly Gen<float[]> Logits = Gen.OneOf(Gen.Int[-6, 6].Select(i => i / 2f), Gen.Int[-9000, 9000].Select(i => i / 1000f)).Array[1, 300];

    [Fact]
    public void Keeps_what_a_full_sort_keeps() =>
        Gen.Select(Logits, Gen.Int[3, 17].Select(i => i / 10.0), Gen.Int[0, 310], Gen.OneOf(Gen.Double[0.01, 0.999], Gen.Const(1.0))).Sample((logits, temperature, k, p) =>
        {
            var filter = new LogitFilter(temperature, k, p);
            filter.Apply(logits);
            var (kept, probabilities) = Sorted(logits, temperature, k, p);
            Assert.Equal(kept, filter.Kept.ToArray());
            for (int i = 0; i < kept.Length; i++)
                Assert.Equal(probabilities[i], filter.Probabilities[i], 1e-6);
        }, iter: 3000);

    [Fact]
    public void Keeps_what_a_full_sort_keeps_in_a_large_vocabulary()
    {
        // A few likely tokens above a long tail, as language models give them: the tail is never sorted.
        var random = new Random(1);
        float[] logits = [.. Enumerable.Range(0, 50_000).Select(_ => (float)(random.NextDouble() * 8) + (random.Next(2000) == 0 ? 9 : 0))];
        foreach (double p in new[] { 0.1, 0.5, 0.9, 0.95, 0.999 })
        {
            var filter = new LogitFilter(1, 0, p);
            filter.Apply(logits);
            Assert.Equal(Sorted(logits, 1, 0, p).Kept, filter.Kept.ToArray());
        }
    }

    [Fact]
    public void Ties_with_the_last_of_top_k_stay()
    {
        var filter = new LogitFilter(1, 2, 1);
        filter.Apply([1, 3, 2, 2, 0, 2]);
        Assert.Equal([1, 2, 3, 5], filter.Kept.ToArray());
    }

    [Fact]
    public void Top_p_keeps_at_least_the_likeliest()
    {
        var filter = new LogitFilter(1, 0, 1e-9);
        filter.Apply([0, 5, 0, 5]);
        Assert.Equal([3], filter.Kept.ToArray()); // of two equal ones the lower id leaves first
    }

    [Fact]
    public void A_filter_serves_many_steps()
    {
        var filter = new LogitFilter(1, 3, 0.5);
        filter.Apply([9, 8, 7, 6]);
        filter.Apply([0, 1]);
        Assert.Equal([1], filter.Kept.ToArray());
        filter.Apply([1, 1, 1, 1, 1, 1, 1]);
        Assert.Equal(4, filter.Kept.Length);
    }

    [Fact]
    public void Impossible_tokens_are_never_kept()
    {
        var filter = new LogitFilter(1, 3, 1);
        filter.Apply([float.NegativeInfinity, 2, float.NegativeInfinity, 1]);
        Assert.Equal([1, 3], filter.Kept.ToArray());
    }

    [Fact]
    public void Draws_follow_the_probabilities()
    {
        var filter = new LogitFilter(1, 3, 1);
        filter.Apply([MathF.Log(5), MathF.Log(1), MathF.Log(3), MathF.Log(2)]);
        Assert.Equal([0, 2, 3], filter.Kept.ToArray());
        var draws = new DrawStream(7, 0);
        int[] counts = new int[4];
        for (int n = 0; n < 20_000; n++)
            counts[filter.Draw(draws.At(n))]++;
        Assert.Equal(0, counts[1]);
        Assert.Equal(0.5, counts[0] / 20_000.0, 0.015);
        Assert.Equal(0.3, counts[2] / 20_000.0, 0.015);
        Assert.Equal(0.2, counts[3] / 20_000.0, 0.015);
        Assert.Equal(0, filter.Draw(0));
        Assert.Equal(3, filter.Draw(1 - 1e-16));
    }

    [Fact]
    public void Draws_depend_on_seed_sequence_and_position_only()
    {
        double[] Numbers(long seed, int sequence) => [.. Enumerable.Range(0, 100).Select(new DrawStream(seed, sequence).At)];
        Assert.Equal(Numbers(5, 2), Numbers(5, 2));
        double[] all = [.. Numbers(5, 2), .. Numbers(5, 3), .. Numbers(6, 2), .. Numbers(6, 3), .. Numbers(-1, 0), .. Numbers(0, 0)];
        Assert.Equal(all.Length, all.Distinct().Count());
        Assert.All(all, u => Assert.InRange(u, 0, 1 - 1e-16));
        Assert.Equal(0.5, all.Average(), 0.05);
    }

    /// <summary>The rule by its letter: sort everything, in the order the reference applies its warpers.</summary>
    private static (int[] Kept, double[] Probabilities) Sorted(float[] logits, double temperature, int k, double p)
    {
        float[] scaled = [.. logits.Select(x => temperature == 1 ? x : x / (float)temperature)];
        if (k > 0)
        {
            float kth = scaled.OrderDescending().ElementAt(Math.Min(k, scaled.Length) - 1);
            scaled = [.. scaled.Select(x => x >= kth ? x : float.NegativeInfinity)];
        }
        if (p < 1)
        {
            float max = scaled.Max();
            float sum = (float)scaled.Sum(x => (double)MathF.Exp(x - max));
            double cumulative = 0;
            int[] ascending = [.. Enumerable.Range(0, scaled.Length).OrderBy(i => scaled[i])];
            float[] before = [.. scaled];
            foreach (int i in ascending.SkipLast(1))
            {
                cumulative += MathF.Exp(before[i] - max) / sum;
                if ((float)cumulative <= (float)(1 - p))
                    scaled[i] = float.NegativeInfinity;
            }
        }
        int[] kept = [.. Enumerable.Range(0, scaled.Length).Where(i => !float.IsNegativeInfinity(scaled[i]))];
        double largest = scaled.Max(), total = kept.Sum(i => Math.Exp(scaled[i] - largest));
        return (kept, [.. kept.Select(i => Math.Exp(scaled[i] - largest) / total)]);
    }
}
