namespace FlamingoSharp.Training;

/// <summary>Draws the sounds of a batch by their weights, no two of one kind: each is a fair negative for the others.</summary>
internal sealed class BatchDraw
{
    private const int AttemptsEach = 20;

    private readonly IReadOnlyList<ClapSound> _sounds;
    private readonly double[] _cumulative;

    public BatchDraw(IReadOnlyList<ClapSound> sounds)
    {
        _sounds = sounds;
        double sum = 0;
        _cumulative = [.. sounds.Select(s => sum += s.Weight)];
    }

    /// <summary>Draws. Where there are fewer kinds than sounds wanted, kinds repeat; the loss then counts their texts as right for each other.</summary>
    /// <returns>Indices of sounds.</returns>
    public int[] Draw(int count, Random random)
    {
        var drawn = new List<int>(count);
        var kinds = new HashSet<string>(count, StringComparer.Ordinal);
        for (int attempt = 0; drawn.Count < count; attempt++)
        {
            int index = One(random);
            if (kinds.Add(_sounds[index].Kind) || attempt >= AttemptsEach * count)
                drawn.Add(index);
        }
        return [.. drawn];
    }

    private int One(Random random)
    {
        int index = Array.BinarySearch(_cumulative, random.NextDouble() * _cumulative[^1]);
        return Math.Min(index < 0 ? ~index : index, _sounds.Count - 1);
    }
}
