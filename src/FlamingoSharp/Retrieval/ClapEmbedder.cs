using FlamingoSharp.Audio;
using FlamingoSharp.Embeddings;
using Microsoft.Extensions.AI;

namespace FlamingoSharp.Retrieval;

/// <summary>A CLAP model as the embedder of an index: of sounds, and of texts if it reads.</summary>
public sealed class ClapEmbedder : ISoundEmbedder
{
    private readonly ClapModel _clap;
    private readonly ClapEmbeddingGenerator _generator;
    private readonly bool _owns;

    /// <summary>Takes a model.</summary>
    /// <param name="clap">The model.</param> <param name="owns">True disposes the model with the embedder.</param>
    public ClapEmbedder(ClapModel clap, bool owns = false)
    {
        ArgumentNullException.ThrowIfNull(clap);
        (_clap, _owns, _generator) = (clap, owns, new ClapEmbeddingGenerator(clap, leaveOpen: true));
        Encoder = new EncoderIdentity(clap.Config.Name, clap.WeightsHash, clap.Dimensions);
    }

    /// <inheritdoc/>
    public EncoderIdentity Encoder { get; }

    /// <inheritdoc/>
    public IEmbeddingGenerator<Recording, Embedding<float>> Sounds => _generator;

    /// <inheritdoc/>
    public IEmbeddingGenerator<string, Embedding<float>>? Texts => _clap.ReadsText ? _generator : null;

    /// <inheritdoc/>
    public SoundOptions Hearing(double startSeconds = 0, double? durationSeconds = null) => _clap.Hearing(startSeconds, durationSeconds);

    /// <inheritdoc/>
    public void Dispose()
    {
        _generator.Dispose();
        if (_owns)
            _clap.Dispose();
    }
}
