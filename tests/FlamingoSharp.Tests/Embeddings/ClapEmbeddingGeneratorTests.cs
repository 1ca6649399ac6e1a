using FlamingoSharp.Embeddings;
using FlamingoSharp.TestKit;
using FlamingoSharp.Tests.Audio;
using Microsoft.Extensions.AI;

namespace FlamingoSharp.Tests.Embeddings;

public sealed class ClapEmbeddingGeneratorTests : IDisposable
{
    private readonly TinyClap _tiny = new();
    private readonly ClapModel _clap;
    private readonly ClapEmbeddingGenerator _generator;

    public ClapEmbeddingGeneratorTests()
    {
        _clap = ClapModel.Load(_tiny.Folder);
        _generator = new ClapEmbeddingGenerator(_clap, leaveOpen: true);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Texts_come_back_in_order_with_model_and_usage()
    {
        IEmbeddingGenerator<string, Embedding<float>> texts = _generator;
        var embeddings = await texts.GenerateAsync(["rain", "a bell rings", "dog"], cancellationToken: Stop);
        Assert.Equal([.. _clap.EmbedTexts(["rain", "a bell rings", "dog"])], embeddings.Select(e => e.Vector.ToArray()));
        Assert.All(embeddings, e => Assert.Equal(("tiny-clap", 24), (e.ModelId, e.Dimensions)));
        Assert.Equal(new[] { "rain", "a bell rings", "dog" }.Sum(_clap.CountTokens), embeddings.Usage!.InputTokenCount);
        Assert.Equal(embeddings.Usage.InputTokenCount, embeddings.Usage.TotalTokenCount);
    }

    [Fact]
    public async Task Sounds_in_memory_and_in_files_are_the_same_sounds()
    {
        string folder = Directory.CreateTempSubdirectory("flamingo-clap-files-").FullName;
        try
        {
            byte[] wave = new WaveBytes { Rate = 16000, Data = WaveBytes.Pcm16([.. Enumerable.Range(0, 24000).Select(i => (short)(8000 * Math.Sin(i * 0.1)))]) }.ToArray();
            string path = Path.Combine(folder, "a.wav");
            File.WriteAllBytes(path, wave);
            IEmbeddingGenerator<DataContent, Embedding<float>> sounds = _generator;

            var memory = await sounds.GenerateAsync([new DataContent(wave, "audio/x-wav"), new DataContent(wave, "audio/mpeg")], cancellationToken: Stop); // the bytes decide
            var file = await _generator.GenerateFileAsync(path, Stop);

            Assert.Equal(2, memory.Count);
            Assert.All(memory, m => Assert.Equal(file.Vector.ToArray(), m.Vector.ToArray()));
            Assert.Equal((4, 3000), (memory.Usage!.AdditionalCounts![ClapEmbeddingGenerator.AudioWindows], memory.Usage.AdditionalCounts[ClapEmbeddingGenerator.AudioMilliseconds]));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task What_is_no_sound_is_refused_by_its_media_type_and_never_left_out()
    {
        IEmbeddingGenerator<DataContent, Embedding<float>> sounds = _generator;
        var error = await Assert.ThrowsAsync<NotSupportedException>(() => sounds.GenerateAsync([new DataContent(new byte[] { 1 }, "image/png")], cancellationToken: Stop));
        Assert.Equal("A content of the media type 'image/png' was given, but only sounds (audio/*) and texts can be embedded.", error.Message);
        await Assert.ThrowsAsync<FlamingoException>(() => sounds.GenerateAsync([new DataContent("nothing"u8.ToArray(), "audio/wav")], cancellationToken: Stop));
        await Assert.ThrowsAsync<ArgumentNullException>(() => sounds.GenerateAsync(null!, cancellationToken: Stop));
    }

    [Fact]
    public async Task Other_dimensions_than_the_models_are_refused_and_cancelling_cancels()
    {
        IEmbeddingGenerator<string, Embedding<float>> texts = _generator;
        var error = await Assert.ThrowsAsync<FlamingoException>(() => texts.GenerateAsync(["rain"], new() { Dimensions = 5 }, Stop));
        Assert.Equal("Embeddings of 5 dimensions were asked for, but those of 'tiny-clap' have 24. Leave the number out.", error.Message);
        Assert.Single(await texts.GenerateAsync(["rain"], new() { Dimensions = 24 }, Stop));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => texts.GenerateAsync(["rain"], cancellationToken: new CancellationToken(canceled: true)));
    }

    [Fact]
    public void Services_are_answered_and_unknown_ones_are_null()
    {
        IEmbeddingGenerator generator = _generator;
        var metadata = Assert.IsType<EmbeddingGeneratorMetadata>(generator.GetService(typeof(EmbeddingGeneratorMetadata)));
        Assert.Equal(("FlamingoSharp", "tiny-clap", 24), (metadata.ProviderName, metadata.DefaultModelId, metadata.DefaultModelDimensions!.Value));
        Assert.Same(_generator, generator.GetService(typeof(IEmbeddingGenerator<DataContent, Embedding<float>>)));
        Assert.Same(_clap, generator.GetService(typeof(ClapModel)));
        Assert.Null(generator.GetService(typeof(string)));
        Assert.Null(generator.GetService(typeof(ClapModel), "a key"));
        Assert.Throws<ArgumentNullException>(() => generator.GetService(null!));
    }

    [Fact]
    public void A_generator_that_is_disposed_leaves_a_borrowed_model_alone()
    {
        _generator.Dispose();
        Assert.Equal(24, _clap.EmbedText("rain").Length);
    }

    public void Dispose()
    {
        _generator.Dispose();
        _clap.Dispose();
        _tiny.Dispose();
    }
}
