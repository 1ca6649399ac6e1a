using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Weights;

public sealed class SyntheticCheckpointTests
{
    /// <summary>Golden files: the weights.json of the cases whose models have their published size.</summary>
    [Theory]
    [InlineData("full-size-af1")]
    [InlineData("full-size-af2")]
    [InlineData("clapcap-htsat")]
    [InlineData("afclap-htsat")]
    public void Center_and_amplitude_of_every_full_size_tensor_follow_from_its_name_and_shape(string id)
    {
        string path = Path.Combine(ReferenceSet.RepositoryRoot, "tests", "ReferenceVectors", id, "weights.json");
        // The names carry a prefix of the case in front of the module's own.
        var all = SyntheticWeightSource.Tensors(path, "");
        string first = all[0].Name;
        string prefix = first[..(((string[])["audio_transformer", "lang_encoder", "clap."]).Select(p => first.IndexOf(p, StringComparison.Ordinal)).First(i => i >= 0))];
        var listed = SyntheticWeightSource.Tensors(path, prefix);
        Assert.NotEmpty(listed);
        Assert.All(listed, t =>
        {
            var made = SyntheticTensor.For(t.Name, t.Shape, prefix);
            Assert.Equal((t.Name, t.Center, t.Amplitude, t.SeedName), (made.Name, made.Center, made.Amplitude, made.SeedName));
        });
    }

    [Fact, NoTensorLeak]
    public void A_tensor_of_several_pieces_has_the_values_of_the_recipe_in_every_element_type()
    {
        using var scope = NewDisposeScope();
        const int Rows = 2100, Columns = 1024; // more than one piece of 8 MB
        using var source = SyntheticCheckpoint.Of("synthetic", [new WeightInfo("a.weight", [Rows, Columns], ScalarType.Float32)], "salt.");
        double amplitude = Math.Round(Math.Sqrt(3.0 / Columns), 9);
        var expected = tensor(SyntheticWeights.Values("salt.a.weight", Rows * Columns, 0, amplitude), [Rows, Columns]);
        Assert.True(expected.equal(source.Read("a.weight")).all().ToBoolean());
        Assert.True(expected.to_type(ScalarType.BFloat16).equal(source.Read("a.weight", ScalarType.BFloat16)).all().ToBoolean());
    }
}
