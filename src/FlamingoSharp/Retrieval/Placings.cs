namespace FlamingoSharp.Retrieval;

/// <summary>Where the right items stand in a ranking; recall and average precision follow from it.</summary>
/// <param name="Places">From 1, the nearest first; none if nothing is right.</param>
public sealed record Placings(IReadOnlyList<int> Places)
{
    /// <summary>Ranks items by likeness. Of equally like ones, those that are wrong come first: what finds everything alike finds nothing.</summary>
    /// <param name="likeness">Of each item.</param> <param name="isRight">Whether the item of an index is a right one.</param>
    public static Placings Of(IReadOnlyList<float> likeness, Func<int, bool> isRight)
    {
        ArgumentNullException.ThrowIfNull(likeness);
        List<float> right = [], wrong = [];
        for (int i = 0; i < likeness.Count; i++)
            (isRight(i) ? right : wrong).Add(-likeness[i]);
        right.Sort();
        wrong.Sort();
        int[] places = new int[right.Count];
        for (int i = 0, before = 0; i < places.Length; i++)
        {
            while (before < wrong.Count && wrong[before] <= right[i])
                before++;
            places[i] = before + i + 1;
        }
        return new Placings(places);
    }

    /// <summary>True if a right item is among the nearest; the mean over queries is recall@k.</summary>
    /// <param name="k">How many are looked at.</param>
    public bool IsWithin(int k) => Places.Count > 0 && Places[0] <= k;

    /// <summary>Σ P(i)·right(i) / min(k, right items), i up to <paramref name="k"/>; the mean over queries is mAP@k. 0 if nothing is right.</summary>
    /// <param name="k">How many are looked at.</param>
    public double AveragePrecision(int k = int.MaxValue) => Places.Count == 0 ? 0
        : Places.Index().Where(p => p.Item <= k).Sum(p => (p.Index + 1.0) / p.Item) / Math.Min(k, Places.Count);
}
