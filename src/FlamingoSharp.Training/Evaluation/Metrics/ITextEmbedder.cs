namespace FlamingoSharp.Training.Evaluation;

/// <summary>Turns texts into vectors whose angles tell how much they mean the same: a sentence model, or the text tower of CLAP.</summary>
/// <remarks>Scores of different embedders do not compare; reports name the one that was used.</remarks>
public interface ITextEmbedder
{
    /// <summary>Which model this is, for reports.</summary>
    string Name { get; }

    /// <summary>The vectors of texts, in their order, all of one length.</summary>
    IReadOnlyList<float[]> Embed(IReadOnlyList<string> texts);
}

/// <summary>Comparisons of texts by their vectors.</summary>
internal static class TextSimilarity
{
    /// <summary>The cosine of the angle between two vectors; 0 where one is zero.</summary>
    public static double Cosine(float[] a, float[] b)
    {
        double product = 0, first = 0, second = 0;
        for (int i = 0; i < a.Length; i++)
        {
            product += (double)a[i] * b[i];
            first += (double)a[i] * a[i];
            second += (double)b[i] * b[i];
        }
        return first > 0 && second > 0 ? product / Math.Sqrt(first * second) : 0;
    }

    /// <summary>For each answer the label that means the most similar; of equally similar ones the first.</summary>
    public static IReadOnlyList<string> Nearest(IReadOnlyList<string> answers, IReadOnlyList<string> labels, ITextEmbedder embedder)
    {
        var likeness = Matrix(answers, labels, embedder);
        return [.. likeness.Select(row => labels[Array.IndexOf(row, row.Max())])];
    }

    /// <summary>Cosines by answer, then by label.</summary>
    public static IReadOnlyList<double[]> Matrix(IReadOnlyList<string> answers, IReadOnlyList<string> labels, ITextEmbedder embedder)
    {
        var distinct = answers.Distinct().ToList();
        var said = distinct.Zip(embedder.Embed(distinct)).ToDictionary(p => p.First, p => p.Second);
        var meant = embedder.Embed(labels);
        var rows = distinct.ToDictionary(a => a, a => meant.Select(m => Cosine(said[a], m)).ToArray());
        return [.. answers.Select(a => rows[a])];
    }
}
