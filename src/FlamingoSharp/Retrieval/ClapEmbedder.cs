using FlamingoSharp.Audio;
using FlamingoSharp.Embeddings;
using Microsoft.Extensions.AI;

namespace FlamingoSharp.Retrieval;

/// <summary>A CLAP model as the embedder of an index: of sounds, and of texts if it reads.</summary>
public sealed class ClapEmbedder : ISoundEmbedder, IEmbeddingGenerator<Recording, Embedding<float>>
{
    private readonly ClapModel _clap;
    private readonly ClapEmbeddingGenerator _texts;
    private readonly bool _owns;

    /// <summary>Takes a model.</summary>
    /// <param name="clap">The model.</param> <param name="owns">True disposes the model with the embedder.</param>
    public ClapEmbedder(ClapModel clap, bool owns = false)
    {
        ArgumentNullException.ThrowIfNull(clap);
        (_clap, _owns, _texts) = (clap, owns, new ClapEmbeddingGenerator(clap, leaveOpen: true));
        Encoder = new EncoderIdentity(clap.Config.Name, clap.WeightsHash, clap.Dimensions);
    }

    /// <inheritdoc/>
    public EncoderIdentity Encoder { get; }

    /// <inheritdoc/>
    public IEmbeddingGenerator<Recording, Embedding<float>> Sounds => this;

    /// <inheritdoc/>
    public IEmbeddingGenerator<string, Embedding<float>>? Texts => _clap.ReadsText ? _texts : null;

    /// <inheritdoc/>
    public SoundOptions Hearing(double startSeconds = 0, double? durationSeconds = null) => _clap.Hearing(startSeconds, durationSeconds);

    /// <inheritdoc/>
    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<Recording> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        return Task.FromResult(new GeneratedEmbeddings<Embedding<float>>(
            values.Select(r => new Embedding<float>(_clap.EmbedAudio(r, cancellationToken).Vector) { ModelId = Encoder.Name })));
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is null && serviceType.IsInstanceOfType(this) ? this : _texts.GetService(serviceType, serviceKey);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _texts.Dispose();
        if (_owns)
            _clap.Dispose();
    }
}
