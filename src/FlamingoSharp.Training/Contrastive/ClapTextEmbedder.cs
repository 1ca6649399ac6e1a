using FlamingoSharp.Embeddings;
using FlamingoSharp.Training.Evaluation;

namespace FlamingoSharp.Training;

/// <summary>The text tower of a CLAP model as the judge of which label an answer means, as the papers of Audio Flamingo have it.</summary>
/// <remarks>A model of our own is not the papers' CLAP; its name, which reports carry, says which it was.</remarks>
public sealed class ClapTextEmbedder : ITextEmbedder
{
    private readonly ClapModel _clap;

    /// <param name="clap">Must read text. It is not disposed.</param>
    /// <exception cref="FlamingoException">It does not.</exception>
    public ClapTextEmbedder(ClapModel clap)
    {
        ArgumentNullException.ThrowIfNull(clap);
        _ = clap.CountTokens("a"); // one that does not read says so before anything is answered
        _clap = clap;
    }

    /// <inheritdoc/>
    public string Name => $"{_clap.Config.Name} ({_clap.WeightsHash[..8]})";

    /// <summary>The vectors of texts; an empty one, which means nothing, gets zeros.</summary>
    /// <inheritdoc/>
    public IReadOnlyList<float[]> Embed(IReadOnlyList<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        string[] said = [.. texts.Where(t => !string.IsNullOrWhiteSpace(t))];
        using var vectors = _clap.EmbedTexts(said).GetEnumerator();
        return [.. texts.Select(t => string.IsNullOrWhiteSpace(t) || !vectors.MoveNext() ? new float[_clap.Dimensions] : vectors.Current)];
    }
}
