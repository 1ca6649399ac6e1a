using FlamingoSharp.Embeddings;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Tests.Embeddings;

public sealed class ZeroShotTests : IDisposable
{
    private readonly TinyClap _tiny = new();
    private readonly ClapModel _clap;

    public ZeroShotTests() => _clap = ClapModel.Load(_tiny.Folder);

    [Fact]
    public void Probabilities_are_the_softmax_of_scaled_similarities()
    {
        string[] labels = ["dog", "rain", "bell"];
        float[] sound = _clap.EmbedAudio(TinyModel.Recording(5)).Vector;

        var scores = new ZeroShot(_clap, labels).Score(sound);

        double[] logits = [.. labels.Select(l => _clap.LogitScale * Dot(sound, _clap.EmbedText(l)))];
        double sum = logits.Sum(Math.Exp);
        Assert.Equal(labels.Order(), scores.Select(s => s.Label).Order());
        Assert.Equal(scores.OrderByDescending(s => s.Probability), scores);
        Assert.All(scores, s => Assert.Equal(Math.Exp(logits[Array.IndexOf(labels, s.Label)]) / sum, s.Probability, 1e-5));
        Assert.Equal(1, scores.Sum(s => s.Probability), 1e-9);
        Assert.True(_clap.LogitScale > 1, $"{_clap.LogitScale}");
    }

    [Fact]
    public void The_template_is_the_text_of_a_label()
    {
        float[] sound = _clap.EmbedAudio(TinyModel.Recording(5)).Vector;
        var scores = new ZeroShot(_clap, ["dog", "rain"], "the sound of {0}").Score(sound);
        Assert.Equal(Dot(sound, _clap.EmbedText("the sound of dog")), scores.Single(s => s.Label == "dog").Similarity, 1e-5);
    }

    [Theory]
    [InlineData("dog", null, "Zero-shot classification chooses among labels, but got 1; give two or more.")]
    [InlineData("dog,,cat", null, "A label is empty; give every label a text.")]
    [InlineData("dog,cat,dog", null, "The label 'dog' is there twice; give each once.")]
    [InlineData("dog,cat", "a sound", "The template 'a sound' has no place for the label; write {0} where it goes.")]
    public void Labels_that_make_no_choice_are_refused(string labels, string? template, string message) =>
        Assert.Equal(message, Assert.Throws<FlamingoException>(() => new ZeroShot(_clap, labels.Split(','), template)).Message);

    [Fact]
    public void An_embedding_of_another_model_is_refused() =>
        Assert.Equal("The embedding has 3 numbers but those of 'tiny-clap' have 24; embed the sound with the same model.",
            Assert.Throws<FlamingoException>(() => new ZeroShot(_clap, ["a", "b"]).Score([1, 0, 0])).Message);

    public void Dispose()
    {
        _clap.Dispose();
        _tiny.Dispose();
    }

    private static double Dot(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();
}
