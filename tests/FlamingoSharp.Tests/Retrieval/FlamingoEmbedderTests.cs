using FlamingoSharp.Retrieval;
using FlamingoSharp.TestKit;
using Microsoft.Extensions.AI;

namespace FlamingoSharp.Tests.Retrieval;

public sealed class FlamingoEmbedderTests
{
    [Fact, NoTensorLeak]
    public async Task The_vector_is_the_mean_over_windows_and_the_identity_is_that_of_the_weights()
    {
        using var folder = new TinyModel();
        using var flamingo = Flamingo.Load(folder.Folder);
        using var embedder = new FlamingoEmbedder(flamingo);
        var recording = TinyModel.Recording(1);
        var vector = (await embedder.Sounds.GenerateAsync([recording]))[0].Vector;
        using var sound = flamingo.Hear(recording);
        Assert.Equal(3, sound.Windows);
        using var encodings = sound.Encodings.contiguous(); // [3, 1, 32]
        float[] all = encodings.data<float>().ToArray();
        Assert.Equal(Enumerable.Range(0, 32).Select(c => (all[c] + all[32 + c] + all[64 + c]) / 3), vector.ToArray(), (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Equal(("tiny-test", 32), (embedder.Encoder.Name, embedder.Encoder.Dimension));
        Assert.Equal(32, ((EmbeddingGeneratorMetadata)embedder.GetService(typeof(EmbeddingGeneratorMetadata))!).DefaultModelDimensions);

        using var again = Flamingo.Load(folder.Folder);
        Assert.Equal(embedder.Encoder, new FlamingoEmbedder(again).Encoder);
        using var slots = new TinyModel(TinyModel.Config with { Windows = TinyModel.Config.Windows with { Slots = 1 } });
        using var sameEncoder = Flamingo.Load(slots.Folder);
        Assert.Equal(embedder.Encoder, new FlamingoEmbedder(sameEncoder).Encoder);
        using var windows = new TinyModel(TinyModel.Config with { Windows = TinyModel.Config.Windows with { RepeatShort = true } });
        using var otherHearing = Flamingo.Load(windows.Folder);
        Assert.NotEqual(embedder.Encoder, new FlamingoEmbedder(otherHearing).Encoder);
    }
}
