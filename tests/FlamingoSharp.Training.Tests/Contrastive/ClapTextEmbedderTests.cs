using FlamingoSharp.Embeddings;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Training.Tests.Contrastive;

public sealed class ClapTextEmbedderTests : IDisposable
{
    private readonly TinyClap _tiny = new();

    [Fact]
    public void Texts_keep_their_places_and_empty_ones_mean_nothing()
    {
        using var clap = ClapModel.Load(_tiny.Folder);
        var embedder = new ClapTextEmbedder(clap);
        var vectors = embedder.Embed(["dog", "", "rain"]);
        Assert.Equal(new float[24], vectors[1]);
        Assert.Equal(1, ClapModel.Similarity(clap.EmbedText("rain"), vectors[2]), 1e-5);
        Assert.Equal(1, ClapModel.Similarity(clap.EmbedText("dog"), vectors[0]), 1e-5);
        Assert.Equal($"tiny-clap ({clap.WeightsHash[..8]})", embedder.Name);
    }

    [Fact]
    public void A_model_of_sounds_alone_is_refused()
    {
        using var deaf = new TinyClap(ClapConfig.Microsoft with { Name = "sounds", Audio = TinyModel.Config.Encoder, Dimensions = TinyModel.Config.Encoder.ProjectionDim });
        using var clap = ClapModel.Load(deaf.Folder);
        Assert.Throws<FlamingoException>(() => new ClapTextEmbedder(clap));
    }

    public void Dispose() => _tiny.Dispose();
}
