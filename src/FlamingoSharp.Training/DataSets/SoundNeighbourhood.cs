using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Training.DataSets;

/// <summary>The items of a training split whose sounds are nearest to a sound; a sound that many items are about is compared once.</summary>
internal sealed class SoundNeighbourhood
{
    private readonly Func<SoundEntry, float[]> _embed;
    private readonly int _count;
    private readonly float[][] _points;           // of each sound of the split
    private readonly int[] _soundOf;              // of each item
    private readonly Dictionary<(string, double, double?), IReadOnlyList<int>> _known = [];

    /// <param name="items">The sound of each item of the split.</param> <param name="embed">Gives its embedding.</param>
    /// <param name="count">Items wanted of each neighbourhood.</param>
    public SoundNeighbourhood(IReadOnlyList<SoundEntry> items, Func<SoundEntry, float[]> embed, int count)
    {
        (_embed, _count) = (embed, count);
        var numbers = new Dictionary<(string, double, double?), int>();
        List<float[]> points = [];
        _soundOf = new int[items.Count];
        for (int i = 0; i < items.Count; i++)
        {
            if (!numbers.TryGetValue(IndexedVectors.PartOf(items[i]), out _soundOf[i]))
            {
                numbers.Add(IndexedVectors.PartOf(items[i]), _soundOf[i] = points.Count);
                points.Add(embed(items[i]));
            }
        }
        _points = [.. points];
    }

    /// <summary>The nearest items, the nearest first; of equally near ones the earlier.</summary>
    public IReadOnlyList<int> Of(SoundEntry asked)
    {
        if (_known.TryGetValue(IndexedVectors.PartOf(asked), out var known))
            return known;
        float[] point = _embed(asked);
        double[] distances = [.. _points.Select(p => Distance(point, p))];
        var nearest = new PriorityQueue<int, (double Distance, int Item)>(Comparer<(double Distance, int Item)>.Create((a, b) => b.CompareTo(a))); // the farthest on top
        for (int item = 0; item < _soundOf.Length; item++)
        {
            var rank = (distances[_soundOf[item]], item);
            if (nearest.Count < _count)
                nearest.Enqueue(item, rank);
            else if (nearest.TryPeek(out _, out var farthest) && rank.CompareTo(farthest) < 0)
                nearest.DequeueEnqueue(item, rank);
        }
        return _known[IndexedVectors.PartOf(asked)] = [.. nearest.UnorderedItems.OrderBy(i => i.Priority).Select(i => i.Element)];
    }

    private static double Distance(float[] a, float[] b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
            sum += (double)(a[i] - b[i]) * (a[i] - b[i]);
        return sum;
    }
}
