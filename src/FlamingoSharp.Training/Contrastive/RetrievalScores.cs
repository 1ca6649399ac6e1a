using FlamingoSharp.Embeddings;
using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Training;

/// <summary>How well sounds find their texts and texts their sounds.</summary>
internal static class RetrievalScores
{
    private static readonly int[] s_ranks = [1, 5, 10];

    /// <summary>Recall at 1, 5 and 10, both ways.</summary>
    /// <param name="sounds">Unit vectors.</param> <param name="texts">Unit vectors, each text once.</param>
    /// <param name="textsOf">For each sound, the indices of its texts, at least one; every text has a sound.</param>
    /// <remarks>
    /// Sound to text: the share of sounds one of whose texts is among the k nearest. Text to sound: the share of texts one of whose sounds is
    /// among the k nearest.
    /// </remarks>
    public static Dictionary<string, double> Recall(IReadOnlyList<float[]> sounds, IReadOnlyList<float[]> texts, IReadOnlyList<IReadOnlyList<int>> textsOf)
    {
        Placings[] bySound = [.. sounds.Select((sound, i) => Find(sound, texts, t => textsOf[i].Contains(t)))];
        Placings[] byText = [.. texts.Select((text, i) => Find(text, sounds, s => textsOf[s].Contains(i)))];
        var scores = new Dictionary<string, double>();
        foreach (var (way, placings) in new[] { ("sound to text", bySound), ("text to sound", byText) })
        {
            foreach (int k in s_ranks)
                scores[$"{way} R@{k}"] = placings.Count(p => p.IsWithin(k)) / (double)placings.Length;
        }
        return scores;
    }

    /// <summary>The share of sounds of which the nearest of all labels is one of its own.</summary>
    /// <param name="sounds">Unit vectors.</param> <param name="labels">Unit vectors.</param> <param name="labelsOf">For each sound, the indices of its labels.</param>
    public static double Accuracy(IReadOnlyList<float[]> sounds, IReadOnlyList<float[]> labels, IReadOnlyList<IReadOnlyList<int>> labelsOf) =>
        sounds.Where((sound, i) => Find(sound, labels, l => labelsOf[i].Contains(l)).IsWithin(1)).Count() / (double)Math.Max(1, sounds.Count);

    private static Placings Find(float[] query, IReadOnlyList<float[]> candidates, Func<int, bool> isRight) =>
        Placings.Of([.. candidates.Select(c => ClapModel.Similarity(query, c))], isRight);
}
