using System.Numerics.Tensors;

namespace FlamingoSharp.Retrieval;

/// <summary>An answer and how well it fits the sound.</summary>
/// <param name="Text">The answer.</param> <param name="Similarity">Cosine between the sound's vector and the answer's, -1 to 1.</param>
/// <param name="Candidate">Which of the answers given it was, from 0; the first where several say the same.</param>
public sealed record RankedAnswer(string Text, double Similarity, int Candidate);

/// <summary>
/// Chooses among answers by how well each fits the sound itself, as CLAP hears it; where even the best fits badly, nothing is chosen.
/// </summary>
/// <remarks>Source: the retrieval demo of Audio Flamingo 1, which draws ten answers and shows the one that LAION-CLAP finds most alike.</remarks>
/// <param name="embedder">An encoder with a text side; not disposed.</param>
public sealed class Reranker(ISoundEmbedder embedder)
{
    /// <summary>Ranks answers about a file, the best first; answers that say the same count once.</summary>
    /// <param name="path">The file.</param> <param name="answers">What a model said.</param>
    /// <param name="startSeconds">Seconds skipped.</param> <param name="durationSeconds">Seconds heard at most.</param> <param name="cancellation">Stops.</param>
    /// <exception cref="FlamingoException">The encoder has no text side, or the file is no sound.</exception>
    public async Task<IReadOnlyList<RankedAnswer>> RankAsync(
        string path, IReadOnlyList<string> answers, double startSeconds = 0, double? durationSeconds = null, CancellationToken cancellation = default) =>
        await RankAsync(await embedder.EmbedAsync(path, startSeconds, durationSeconds, cancellation).ConfigureAwait(false), answers, cancellation).ConfigureAwait(false);

    /// <summary>Ranks answers about a sound whose vector is known.</summary>
    /// <inheritdoc cref="RankAsync(string, IReadOnlyList{string}, double, double?, CancellationToken)"/>
    /// <param name="sound">Of the same encoder.</param> <param name="answers">What a model said.</param> <param name="cancellation">Stops.</param>
    public async Task<IReadOnlyList<RankedAnswer>> RankAsync(ReadOnlyMemory<float> sound, IReadOnlyList<string> answers, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(answers);
        (string Text, int Candidate)[] distinct = [.. answers.Select((text, i) => (text.Trim(), i)).Where(a => a.Item1.Length > 0).DistinctBy(a => a.Item1, StringComparer.OrdinalIgnoreCase)];
        if (distinct.Length == 0)
            return [];
        var vectors = await embedder.EmbedTextsAsync([.. distinct.Select(a => a.Text)], cancellation).ConfigureAwait(false);
        return [.. distinct.Select((a, i) => new RankedAnswer(a.Text, TensorPrimitives.CosineSimilarity(sound.Span, vectors[i].Span), a.Candidate))
            .OrderByDescending(r => r.Similarity).ThenBy(r => r.Candidate)];
    }

    /// <summary>The best of ranked answers, if it fits well enough; null stands for "not sure".</summary>
    /// <param name="ranked">From <see cref="RankAsync(ReadOnlyMemory{float}, IReadOnlyList{string}, CancellationToken)"/>.</param> <param name="threshold">Least cosine.</param>
    public static RankedAnswer? Best(IReadOnlyList<RankedAnswer> ranked, double threshold)
    {
        ArgumentNullException.ThrowIfNull(ranked);
        return ranked.Count > 0 && ranked[0].Similarity >= threshold ? ranked[0] : null;
    }
}
