using FlamingoSharp.Retrieval;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Tests.Retrieval;

public sealed class RerankerTests
{
    [Fact]
    public async Task The_answer_that_fits_the_sound_best_comes_first_and_none_below_the_threshold()
    {
        using var embedder = new FakeEmbedder(dimension: 4);
        embedder.Meanings["a dog"] = [1, 0, 0, 0];
        embedder.Meanings["a cat"] = [0.6f, 0.8f, 0, 0];
        embedder.Meanings["a bell"] = [0, 0, 2, 0];
        var reranker = new Reranker(embedder);
        float[] sound = [0, 5, 0, 0];
        var ranked = await reranker.RankAsync(sound, ["a dog", "a bell", " A Cat ".Trim().ToLowerInvariant(), "a dog", "", "a cat"]);
        Assert.Equal([("a cat", 0.8, 2), ("a dog", 0, 0), ("a bell", 0, 1)], ranked.Select(r => (r.Text, Math.Round(r.Similarity, 6), r.Candidate)));
        Assert.Equal("a cat", Reranker.Best(ranked, 0.5)!.Text);
        Assert.Null(Reranker.Best(ranked, 0.9));
        Assert.Null(Reranker.Best([], 0));
    }

    [Fact]
    public async Task An_encoder_without_a_text_side_cannot_rank()
    {
        using var embedder = new FakeEmbedder(texts: false);
        var error = await Assert.ThrowsAsync<FlamingoException>(() => new Reranker(embedder).RankAsync(FakeEmbedder.Vector(1), ["a", "b"]));
        Assert.Equal("The encoder fake hears sounds only; texts need one with a text side, such as a CLAP model.", error.Message);
    }
}
