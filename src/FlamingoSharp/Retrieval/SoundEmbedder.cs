using FlamingoSharp.Audio;
using FlamingoSharp.Embeddings;

namespace FlamingoSharp.Retrieval;

/// <summary>Where embedders come from, and what every caller of one needs.</summary>
public static class SoundEmbedder
{
    /// <summary>Loads an embedder.</summary>
    /// <param name="path">A CLAP model's folder, a published checkpoint of one, or an Audio Flamingo model's folder, of which the sound encoder is taken.</param>
    /// <param name="device">Where it runs: <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</param>
    /// <param name="tokenizer">Folder of the tokenizer, for a published checkpoint that is to read texts.</param>
    /// <exception cref="FlamingoException">There is no such model, or it cannot be loaded.</exception>
    public static ISoundEmbedder Load(string path, string device = "cpu", string? tokenizer = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string config = Path.Combine(path, "config.json");
        return File.Exists(path) || (File.Exists(config) && ClapConfig.Describes(config))
            ? new ClapEmbedder(ClapModel.Load(path, new() { Device = device, TokenizerFolder = tokenizer }), owns: true)
            : new FlamingoEmbedder(Flamingo.Load(path, new() { Device = device }), owns: true);
    }

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
