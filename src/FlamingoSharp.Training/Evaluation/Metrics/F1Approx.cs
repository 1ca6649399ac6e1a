namespace FlamingoSharp.Training.Evaluation;

/// <summary>Audio Flamingo 1's score of label lists: an answer is right if it means nearly the same as the right labels.</summary>
/// <remarks>
/// The right labels of an item are one sentence, the answer another; a hit is a cosine of their vectors above 0.8. Precision is hits by answers that
/// are not empty, recall hits by items. The paper used a sentence-BERT that it does not name; values of another embedder do not compare with its.
/// Source: arXiv 2402.01831, Table 2, and its authors' word on the data set FSD50K.
/// </remarks>
public static class F1Approx
{
    /// <summary>What a cosine must exceed.</summary>
    public const double Threshold = 0.8;

    /// <summary>Scores answers.</summary>
    /// <param name="expected">The right labels of each item, as one sentence.</param>
    /// <param name="answers">The answers, in the same order.</param>
    /// <param name="embedder">Says what means the same.</param>
    /// <exception cref="FlamingoException">There is no item, or there are more or fewer answers than items.</exception>
    public static double Score(IReadOnlyList<string> expected, IReadOnlyList<string> answers, ITextEmbedder embedder)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(answers);
        ArgumentNullException.ThrowIfNull(embedder);
        if (expected.Count == 0 || expected.Count != answers.Count)
            throw new FlamingoException(FlamingoErrorKind.Input, $"F1approx compares answers one by one, but got {answers.Count} answers for {expected.Count} items.");
        int[] answered = [.. Enumerable.Range(0, answers.Count).Where(i => !string.IsNullOrWhiteSpace(answers[i]))];
        var right = embedder.Embed([.. answered.Select(i => expected[i])]);
        var said = embedder.Embed([.. answered.Select(i => answers[i])]);
        int hits = right.Zip(said).Count(p => TextSimilarity.Cosine(p.First, p.Second) > Threshold);
        return hits == 0 ? 0 : 2.0 * hits / (answered.Length + expected.Count);
    }
}
