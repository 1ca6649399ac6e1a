using FlamingoSharp.Embeddings;

namespace FlamingoSharp.Training;

/// <summary>How well sounds find their texts and texts their sounds.</summary>
internal static class RetrievalScores
{
    private static readonly int[] s_ranks = [1, 5, 10];

    /// <summary>Recall at 1, 5 and 10, both ways.</summary>
    /// <param name="sounds">Unit vectors.</param> <param name="texts">Unit vectors, each text once.</param>
    /// <param name="textOf">For each sound, the index of its text; every text has a sound.</param>
    /// <remarks>
    /// Sound to text: the share of sounds whose text is among the k nearest. Text to sound: the share of texts one of whose sounds is among
    /// the k nearest. Of equally near ones, those that are wrong come first.
    /// </remarks>
    public static Dictionary<string, double> Recall(IReadOnlyList<float[]> sounds, IReadOnlyList<float[]> texts, IReadOnlyList<int> textOf)
    {
        int[] soundRanks = [.. sounds.Select((sound, i) => RankOf(sound, texts, t => t == textOf[i]))];
        int[] textRanks = [.. texts.Select((text, i) => RankOf(text, sounds, s => textOf[s] == i))];
        var scores = new Dictionary<string, double>();
        foreach (int k in s_ranks)
            scores[$"sound to text R@{k}"] = soundRanks.Count(r => r <= k) / (double)soundRanks.Length;
        foreach (int k in s_ranks)
            scores[$"text to sound R@{k}"] = textRanks.Count(r => r <= k) / (double)textRanks.Length;
        return scores;
    }

    /// <summary>The share of sounds whose own label is the nearest of all.</summary>
    /// <param name="sounds">Unit vectors.</param> <param name="labels">Unit vectors.</param> <param name="labelOf">For each sound, the index of its label.</param>
    public static double Accuracy(IReadOnlyList<float[]> sounds, IReadOnlyList<float[]> labels, IReadOnlyList<int> labelOf) =>
        sounds.Where((sound, i) => RankOf(sound, labels, l => l == labelOf[i]) == 1).Count() / (double)Math.Max(1, sounds.Count);

    // Place of the nearest right one, from 1.
    private static int RankOf(float[] query, IReadOnlyList<float[]> candidates, Func<int, bool> isRight)
    {
        float[] similarities = [.. candidates.Select(c => ClapModel.Similarity(query, c))];
        float best = similarities.Where((_, i) => isRight(i)).Max();
        return 1 + similarities.Where((s, i) => s >= best && !isRight(i)).Count();
    }
}
