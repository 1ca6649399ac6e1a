using FlamingoSharp.Audio;
using Microsoft.Extensions.AI;

namespace FlamingoSharp.Retrieval;

/// <summary>
/// The sound encoder of a model as an embedder: the mean of its vectors over all windows, of length 1. It has no text side. The encoder of
/// Audio Flamingo was trained to be told apart by a language model, not by a cosine; a CLAP model finds better.
/// </summary>
public sealed class FlamingoEmbedder : ISoundEmbedder, IEmbeddingGenerator<Recording, Embedding<float>>
{
    private readonly Flamingo _flamingo;
    private readonly bool _owns;

    /// <summary>Takes the encoder of a model.</summary>
    /// <param name="flamingo">The model.</param> <param name="owns">True disposes the model with the embedder.</param>
    public FlamingoEmbedder(Flamingo flamingo, bool owns = false)
    {
        ArgumentNullException.ThrowIfNull(flamingo);
        (_flamingo, _owns) = (flamingo, owns);
        Encoder = new EncoderIdentity(flamingo.Config.Name, flamingo.EncoderHash(), flamingo.Config.Encoder.OutputDim);
    }

    /// <inheritdoc/>
    public EncoderIdentity Encoder { get; }

    /// <inheritdoc/>
    public IEmbeddingGenerator<Recording, Embedding<float>> Sounds => this;

    /// <inheritdoc/>
    public IEmbeddingGenerator<string, Embedding<float>>? Texts => null;

    /// <inheritdoc/>
    public SoundOptions Hearing(double startSeconds = 0, double? durationSeconds = null) => SoundOptions.For(_flamingo.Config.Windows, startSeconds, durationSeconds);

    /// <inheritdoc/>
    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<Recording> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        var embeddings = new GeneratedEmbeddings<Embedding<float>>();
        foreach (var recording in values)
        {
            using var sound = _flamingo.Hear(recording, cancellation: cancellationToken);
            embeddings.Add(new Embedding<float>(sound.MeanEncoding()) { ModelId = Encoder.Name });
        }
        return Task.FromResult(embeddings);
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        return serviceType == typeof(EmbeddingGeneratorMetadata) ? new EmbeddingGeneratorMetadata("FlamingoSharp", null, Encoder.Name, Encoder.Dimension)
            : serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_owns)
            _flamingo.Dispose();
    }
}
