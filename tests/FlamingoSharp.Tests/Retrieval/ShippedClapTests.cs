using System.Numerics.Tensors;
using FlamingoSharp.Retrieval;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Tests.Retrieval;

/// <summary>The CLAP model in the box as the encoder of an index of the sounds beside it.</summary>
public sealed class ShippedClapTests(ShippedClapTests.Samples samples) : IClassFixture<ShippedClapTests.Samples>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_embedder_says_who_it_is_and_makes_vectors_of_length_1()
    {
        var encoder = samples.Embedder.Encoder;
        Assert.Equal(("clap-mini", 256, 64), (encoder.Name, encoder.Dimension, encoder.WeightsHash.Length));
        using (var again = SoundEmbedder.Load(Samples.Model))
            Assert.Equal(encoder, again.Encoder);
        var sound = await samples.Embedder.EmbedAsync(Samples.PathOf("bell"), cancellation: Cancellation);
        var text = (await samples.Embedder.EmbedTextsAsync(["a bell"], Cancellation))[0];
        Assert.All(new[] { sound, text }, vector =>
        {
            Assert.Equal(256, vector.Length);
            Assert.Equal(1, TensorPrimitives.Norm(vector.Span), 1e-5f);
        });
        var stored = await samples.Index.Store.GetAsync(await FileHash.OfAsync(Samples.PathOf("bell"), Cancellation), new() { IncludeVectors = true }, Cancellation);
        Assert.InRange(TensorPrimitives.CosineSimilarity(sound.Span, stored!.Embedding.Span), 0.99999f, 1.00001f); // alone as in a batch
    }

    [Fact]
    public void An_index_of_another_encoder_is_refused_though_its_vectors_are_as_wide()
    {
        using var other = new MemorySoundStore(samples.Embedder.Encoder with { WeightsHash = new string('0', 64) });
        Assert.Equal(
            $"The index 'memory' was made by the encoder clap-mini (256 dimensions, weights 00000000), but this one is {samples.Embedder.Encoder}. Use the model that it was made with, or build the index anew.",
            Assert.Throws<FlamingoException>(() => new SoundIndex(other, samples.Embedder)).Message);
    }

    [Theory]
    [InlineData("bell", "bell")]
    [InlineData("rain", "rain")]
    [InlineData("guitar", "guitar-a-minor")]
    [InlineData("crowd cheering", "crowd-cheering")]
    [InlineData("explosion", "explosion")]
    [InlineData("thunder", "thunder", 3)]
    [InlineData("birds", "birds", 3)]
    public async Task A_text_finds_the_sound_that_it_describes_among_the_samples(string text, string sample, int among = 1)
    {
        var found = await samples.Index.SearchAsync(text, top: 20, Cancellation);
        Assert.Equal(20, found.Count);
        Assert.Equal(found.OrderByDescending(m => m.Similarity), found);
        string[] names = [.. found.Select(m => Path.GetFileNameWithoutExtension(m.Sound.Path))];
        Assert.Contains(sample, names[..among]);
    }

    [Fact]
    public async Task A_sound_is_nearest_to_itself_and_not_found_by_itself_unless_asked()
    {
        var self = await samples.Index.QueryAsync(Samples.PathOf("rain"), new() { Top = 1, Duplicates = true }, cancellation: Cancellation);
        Assert.Equal((Samples.PathOf("rain"), 1.0), (self[0].Sound.Path, Math.Round(self[0].Similarity, 4)));
        var others = await samples.Index.QueryAsync(Samples.PathOf("rain"), new() { Top = 20 }, cancellation: Cancellation);
        Assert.Equal((19, false), (others.Count, others.Any(m => m.Sound.Path == Samples.PathOf("rain"))));
    }

    [Theory]
    [InlineData("bell", "a bell rings")]
    [InlineData("rain", "rain falls")]
    [InlineData("explosion", "an explosion")]
    public async Task Of_several_answers_the_one_that_fits_the_sound_is_chosen_and_none_where_all_fit_badly(string sample, string right)
    {
        string[] answers = ["a dog barks", "a bell rings", "rain falls", "an explosion", "somebody is typing"];
        var ranked = await new Reranker(samples.Embedder).RankAsync(Samples.PathOf(sample), answers, cancellation: Cancellation);
        Assert.Equal(answers.Length, ranked.Count);
        Assert.Equal((right, ranked.Max(r => r.Similarity)), (ranked[0].Text, ranked[0].Similarity));
        Assert.Equal(right, Reranker.Best(ranked, threshold: ranked[1].Similarity)!.Text);
        Assert.Null(Reranker.Best(ranked, threshold: ranked[0].Similarity + 1e-6));
    }

    /// <summary>The samples in an index by clap-mini.</summary>
    public sealed class Samples : IAsyncLifetime
    {
        private static readonly string s_folder = Path.Combine(ReferenceSet.RepositoryRoot, "samples");

        /// <summary>The model's folder.</summary>
        public static string Model => Path.Combine(ReferenceSet.RepositoryRoot, "models", "clap-mini");

        /// <summary>Its embedder.</summary>
        public ISoundEmbedder Embedder { get; } = SoundEmbedder.Load(Model);

        /// <summary>The index.</summary>
        public SoundIndex Index { get; private set; } = null!;

        /// <summary>A sample's file.</summary>
        public static string PathOf(string name) => Path.Combine(s_folder, name + ".wav");

        /// <inheritdoc/>
        public async ValueTask InitializeAsync()
        {
            Index = new SoundIndex(new MemorySoundStore(Embedder.Encoder), Embedder);
            Assert.Equal(20, (await Index.AddAsync(SoundFolders.Find(s_folder))).Added);
        }

        /// <inheritdoc/>
        public ValueTask DisposeAsync()
        {
            Index.Dispose();
            Embedder.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
