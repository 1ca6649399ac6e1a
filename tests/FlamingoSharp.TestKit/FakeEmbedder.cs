using System.Security.Cryptography;
using System.Text;
using FlamingoSharp.Audio;
using FlamingoSharp.Retrieval;
using Microsoft.Extensions.AI;

namespace FlamingoSharp.TestKit;

/// <summary>
/// Vectors without a model: of a sound, its loudness in slices of time; of a text, that of the sounds with this label if it is told so, else a
/// draw from its letters. Fast, and the same in every run.
/// </summary>
internal sealed class FakeEmbedder(int dimension = 32, string name = "fake", bool texts = true)
    : ISoundEmbedder, IEmbeddingGenerator<Recording, Embedding<float>>, IEmbeddingGenerator<string, Embedding<float>>
{
    /// <summary>What texts mean, beside the draw.</summary>
    public Dictionary<string, float[]> Meanings { get; } = [];

    /// <summary>Sounds that were embedded.</summary>
    public int Embedded { get; private set; }

    public EncoderIdentity Encoder { get; } = new(name, "00112233445566778899aabbccddeeff", dimension);

    public IEmbeddingGenerator<Recording, Embedding<float>> Sounds => this;

    public IEmbeddingGenerator<string, Embedding<float>>? Texts => texts ? this : null;

    /// <summary>A vector that is always the same for a seed.</summary>
    public static float[] Vector(int seed, int dimension = 32)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, dimension).Select(_ => (float)(random.NextDouble() - 0.5))];
    }

    public SoundOptions Hearing(double startSeconds = 0, double? durationSeconds = null) =>
        new() { SampleRate = 16000, StartSeconds = startSeconds, DurationSeconds = durationSeconds };

    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<Recording> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        Task.FromResult(new GeneratedEmbeddings<Embedding<float>>(values.Select(r =>
        {
            Embedded++;
            float[] vector = new float[dimension];
            for (int i = 0; i < r.Samples.Length; i++)
                vector[(long)i * dimension / r.Samples.Length] += (float)Math.Abs(r.Samples[i]);
            vector[0] += 1e-3f;
            return new Embedding<float>(vector);
        })));

    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        Task.FromResult(new GeneratedEmbeddings<Embedding<float>>(values.Select(t => new Embedding<float>(
            Meanings.TryGetValue(t, out float[]? meant) ? meant : Vector(BitConverter.ToInt32(SHA256.HashData(Encoding.UTF8.GetBytes(t))), dimension)))));

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }
}
