using FlamingoSharp.Audio;
using Microsoft.Extensions.AI;

namespace FlamingoSharp.Retrieval;

/// <summary>Turns sounds, and where it can texts, into vectors of one space.</summary>
public interface ISoundEmbedder : IDisposable
{
    /// <summary>Which encoder it is; an index records it and takes vectors of no other.</summary>
    EncoderIdentity Encoder { get; }

    /// <summary>How a file is to be read for it: its rate, and the seconds that it hears.</summary>
    /// <param name="startSeconds">Seconds skipped.</param> <param name="durationSeconds">Seconds read; null for all that it hears.</param>
    SoundOptions Hearing(double startSeconds = 0, double? durationSeconds = null);

    /// <summary>Embeds recordings.</summary>
    IEmbeddingGenerator<Recording, Embedding<float>> Sounds { get; }

    /// <summary>Embeds texts into the same space; null for an encoder without a text side.</summary>
    IEmbeddingGenerator<string, Embedding<float>>? Texts { get; }
}

/// <content>What every caller of an embedder needs.</content>
public static class SoundEmbedderExtensions
{
    /// <summary>The vector of a file, or of a part of it.</summary>
    /// <exception cref="FlamingoException">The file is no sound.</exception>
    public static async Task<ReadOnlyMemory<float>> EmbedAsync(
        this ISoundEmbedder embedder, string path, double startSeconds = 0, double? durationSeconds = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(embedder);
        var recording = SoundFile.Load(path, embedder.Hearing(startSeconds, durationSeconds), cancellation);
        return (await embedder.Sounds.GenerateAsync([recording], cancellationToken: cancellation).ConfigureAwait(false))[0].Vector;
    }

    /// <summary>The vectors of texts.</summary>
    /// <exception cref="FlamingoException">The encoder has no text side.</exception>
    public static async Task<IReadOnlyList<ReadOnlyMemory<float>>> EmbedTextsAsync(
        this ISoundEmbedder embedder, IReadOnlyList<string> texts, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(embedder);
        var generator = embedder.Texts ?? throw new FlamingoException(FlamingoErrorKind.Model,
            $"The encoder {embedder.Encoder.Name} hears sounds only; texts need one with a text side, such as a CLAP model.");
        return [.. (await generator.GenerateAsync(texts, cancellationToken: cancellation).ConfigureAwait(false)).Select(e => e.Vector)];
    }
}
