using System.Globalization;
using FlamingoSharp.Audio;
using Microsoft.Extensions.AI;

namespace FlamingoSharp.Embeddings;

/// <summary>
/// A <see cref="ClapModel"/> as the embedding generator of Microsoft.Extensions.AI, for texts and for sounds: both come into one space, so that
/// a text finds sounds. Safe for concurrent use; results are in the order of the inputs.
/// </summary>
/// <example><code>
/// using var generator = new ClapEmbeddingGenerator(ClapModel.Load("models/clap-mini"));
/// var text = await generator.GenerateAsync("a dog barks");
/// var sound = await generator.GenerateFileAsync("dog.wav");
/// </code></example>
public sealed class ClapEmbeddingGenerator :
    IEmbeddingGenerator<string, Embedding<float>>, IEmbeddingGenerator<DataContent, Embedding<float>>, IEmbeddingGenerator<Recording, Embedding<float>>
{
    /// <summary>Seconds of sound heard, in thousandths, under <see cref="UsageDetails.AdditionalCounts"/>.</summary>
    public const string AudioMilliseconds = "audio_milliseconds";

    /// <summary>Windows of sound encoded, under <see cref="UsageDetails.AdditionalCounts"/>.</summary>
    public const string AudioWindows = "audio_windows";

    private readonly ClapModel _model;
    private readonly bool _leaveOpen;
    private readonly EmbeddingGeneratorMetadata _metadata;

    /// <summary>Wraps a model.</summary>
    /// <param name="model">What embeds.</param> <param name="leaveOpen">True keeps the model when this is disposed.</param>
    public ClapEmbeddingGenerator(ClapModel model, bool leaveOpen = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        (_model, _leaveOpen) = (model, leaveOpen);
        _metadata = new EmbeddingGeneratorMetadata("FlamingoSharp", providerUri: null, model.Config.Name, model.Dimensions);
    }

    /// <summary>Embeds texts.</summary>
    /// <exception cref="FlamingoException">A text is empty, the model does not read, or other dimensions than its own are asked for.</exception>
    /// <inheritdoc/>
    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        string[] texts = [.. values];
        return Work(options, () =>
        {
            var vectors = _model.EmbedTexts(texts, cancellationToken);
            long tokens = texts.Sum(t => (long)_model.CountTokens(t));
            return Result(vectors, new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens });
        }, cancellationToken);
    }

    /// <summary>Embeds sounds in memory, of any format that a file may have.</summary>
    /// <exception cref="NotSupportedException">A content is no sound; the message names its media type.</exception>
    /// <exception cref="FlamingoException">A sound cannot be decoded, or other dimensions than the model's are asked for.</exception>
    /// <inheritdoc/>
    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<DataContent> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        DataContent[] sounds = [.. values];
        foreach (var sound in sounds)
        {
            if (!sound.HasTopLevelMediaType("audio"))
                throw new NotSupportedException($"A content of the media type '{sound.MediaType}' was given, but only sounds (audio/*) and texts can be embedded.");
        }
        return Sounds(sounds, Hear, options, cancellationToken);

        SoundEmbedding Hear(DataContent sound, int index)
        {
            using var stream = new MemoryStream(sound.Data.ToArray(), writable: false);
            return _model.EmbedAudio(stream, sound.Name ?? string.Create(CultureInfo.InvariantCulture, $"sound {index + 1}"), cancellationToken);
        }
    }

    /// <summary>Embeds recordings at the model's rate.</summary>
    /// <exception cref="FlamingoException">A recording has another rate, or other dimensions than the model's are asked for.</exception>
    /// <inheritdoc/>
    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<Recording> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        return Sounds([.. values], (recording, _) => _model.EmbedAudio(recording, cancellationToken), options, cancellationToken);
    }

    /// <summary>Embeds sound files of any format.</summary>
    /// <param name="paths">The files.</param> <param name="options">As for texts.</param> <param name="cancellationToken">Stops between windows.</param>
    /// <exception cref="FlamingoException">A file is missing, empty, or no sound.</exception>
    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateFilesAsync(
        IEnumerable<string> paths, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(paths);
        return Sounds([.. paths], (path, _) => _model.EmbedAudio(path, cancellation: cancellationToken), options, cancellationToken);
    }

    /// <summary>Embeds a sound file of any format.</summary>
    /// <inheritdoc cref="GenerateFilesAsync" path="/exception"/>
    public async Task<Embedding<float>> GenerateFileAsync(string path, CancellationToken cancellationToken = default) =>
        (await GenerateFilesAsync([path], null, cancellationToken).ConfigureAwait(false))[0];

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(EmbeddingGeneratorMetadata) ? _metadata
            : serviceType.IsInstanceOfType(this) ? this
            : serviceType.IsInstanceOfType(_model) ? _model
            : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_leaveOpen)
            _model.Dispose();
    }

    private Task<GeneratedEmbeddings<Embedding<float>>> Sounds<T>(
        T[] sounds, Func<T, int, SoundEmbedding> hear, EmbeddingGenerationOptions? options, CancellationToken cancellation) => Work(options, () =>
        {
            SoundEmbedding[] heard = [.. sounds.Select(hear)];
            return Result([.. heard.Select(h => h.Vector)], new UsageDetails
            {
                AdditionalCounts = new()
                {
                    [AudioWindows] = heard.Sum(h => h.Windows),
                    [AudioMilliseconds] = (long)Math.Round(1000 * heard.Sum(h => h.SecondsHeard)),
                },
            });
        }, cancellation);

    // On another thread: decoding and encoding take long, and callers of asynchronous methods do not expect to wait.
    private Task<GeneratedEmbeddings<Embedding<float>>> Work(
        EmbeddingGenerationOptions? options, Func<GeneratedEmbeddings<Embedding<float>>> work, CancellationToken cancellation)
    {
        if (options?.Dimensions is { } wanted && wanted != _model.Dimensions)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"Embeddings of {wanted} dimensions were asked for, but those of '{_model.Config.Name}' have {_model.Dimensions}. Leave the number out.");
        return Task.Run(work, cancellation);
    }

    private GeneratedEmbeddings<Embedding<float>> Result(IReadOnlyList<float[]> vectors, UsageDetails usage)
    {
        var now = DateTimeOffset.UtcNow;
        return new(vectors.Select(v => new Embedding<float>(v) { CreatedAt = now, ModelId = _model.Config.Name })) { Usage = usage };
    }
}
