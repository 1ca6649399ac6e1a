using System.Numerics;

namespace FlamingoSharp.Generation;

/// <summary>The few sums and searches over one row of logits that choosing a token needs, the same on every machine.</summary>
internal static class LogitMath
{
    /// <summary>The first of the largest logits.</summary>
    /// <exception cref="FlamingoException">The logits hold NaN or +infinity, or nothing but -infinity.</exception>
    public static int ArgMax(ReadOnlySpan<float> logits)
    {
        var lanes = new Vector<float>(float.NegativeInfinity);
        var numbers = Vector<int>.AllBitsSet; // lanes that have met no NaN
        int i = 0;
        for (; i <= logits.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var values = new Vector<float>(logits[i..]);
            numbers &= Vector.Equals(values, values);
            lanes = Vector.Max(lanes, values);
        }
        float largest = float.NegativeInfinity;
        for (int lane = 0; lane < Vector<float>.Count; lane++)
            largest = Math.Max(largest, numbers[lane] == 0 ? float.NaN : lanes[lane]); // NaN wins
        for (; i < logits.Length; i++)
            largest = Math.Max(largest, logits[i]);
        if (!float.IsFinite(largest))
            throw new FlamingoException(FlamingoErrorKind.Model,
                $"The model's logits are not numbers (the largest is {largest}), so no token can be chosen: check the weights, or compute in a wider type such as float32.");
        return logits.IndexOf(largest);
    }

    /// <summary>The k-th largest value, 1 &lt;= k &lt;= count, duplicates counted.</summary>
    /// <param name="values">Numbers, in any order.</param> <param name="k">Rank from the top.</param>
    /// <param name="work">At least k values, overwritten.</param>
    public static float KthLargest(ReadOnlySpan<float> values, int k, Span<float> work)
    {
        // The k largest so far in a heap whose top is the smallest of them: most values are not above it and cost one comparison.
        var heap = work[..k];
        values[..k].CopyTo(heap);
        for (int parent = (k / 2) - 1; parent >= 0; parent--)
            Sink(heap, parent);
        foreach (float value in values[k..])
        {
            if (value <= heap[0])
                continue;
            heap[0] = value;
            Sink(heap, 0);
        }
        return heap[0];
    }

    /// <summary>ln(sum(exp(x))), in double.</summary>
    public static double LogSumExp(ReadOnlySpan<float> logits)
    {
        float largest = logits[ArgMax(logits)];
        double sum = 0;
        foreach (float logit in logits)
            sum += Math.Exp((double)logit - largest);
        return largest + Math.Log(sum);
    }

    /// <summary>Bits that sort as the numbers do; the two zeros are equal.</summary>
    public static uint Sortable(float value)
    {
        int bits = BitConverter.SingleToInt32Bits(value + 0f); // -0 + 0 = +0
        return (uint)(bits ^ ((bits >> 31) | int.MinValue));
    }

    private static void Sink(Span<float> heap, int parent)
    {
        float value = heap[parent];
        for (int child; (child = (2 * parent) + 1) < heap.Length; parent = child)
        {
            if (child + 1 < heap.Length && heap[child + 1] < heap[child])
                child++;
            if (heap[child] >= value)
                break;
            heap[parent] = heap[child];
        }
        heap[parent] = value;
    }
}
