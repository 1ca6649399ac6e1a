using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Tests.Loop;

public sealed class ModelAveragingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flamingo-test-").FullName;

    [Fact, NoTensorLeak]
    public void Each_weight_is_the_mean_and_whole_numbers_are_the_first_ones()
    {
        using var scope = NewDisposeScope();
        string[] runs = [Model("a", 1, 3, 7), Model("b", 2, -5, 8), Model("c", 6, 5, 9)];
        var model = ModelAveraging.Run(runs, Path.Combine(_folder, "mean"));
        Assert.Equal(["added_tokens.json", "config.json", "merges.txt", "model.safetensors", "vocab.json"], Directory.EnumerateFiles(model.Path).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
        using var weights = model.OpenWeights();
        Assert.Equal([3f, 1f], weights.Read("lang_encoder.w").to_type(ScalarType.Float32).data<float>());
        Assert.Equal(ScalarType.Float16, weights.Weights["lang_encoder.w"].Type); // as stored
        Assert.Equal(7, weights.Read("clap.base.htsat.count").item<long>());
    }

    [Fact]
    public void Models_that_are_not_two_states_of_one_are_refused_and_nothing_is_written()
    {
        using var scope = NewDisposeScope();
        string one = Model("one", 1, 3, 7), more = Model("more", 1, 3, 7, "lang_encoder.more"), wide = Model("wide", 1, 3, 7, width: 3), other = Model("other", 1, 3, 7);
        File.WriteAllText(Path.Combine(other, "merges.txt"), "other");
        string mean = Path.Combine(_folder, "mean");
        string Refusal(params string[] models) => Assert.Throws<FlamingoException>(() => ModelAveraging.Run(models, mean)).Message;

        Assert.Equal("1 model was named; an average needs two or more.", Refusal(one));
        Assert.Equal($"{one} and {other} differ in merges.txt. Average models of one configuration and one tokenizer.", Refusal(one, other));
        Assert.EndsWith("are not two states of one model: only one of them has 'lang_encoder.more'. Average runs that began with the same weights.", Refusal(one, more), StringComparison.Ordinal);
        Assert.Contains("'lang_encoder.w' is [2] in one and [3] in the other.", Refusal(one, wide), StringComparison.Ordinal);
        Assert.False(Directory.Exists(mean));
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Model(string name, float first, float second, long count, string? further = null, int width = 2)
    {
        string path = Path.Combine(_folder, name);
        Directory.CreateDirectory(path);
        foreach (string file in new[] { "config.json", "vocab.json", "merges.txt", "added_tokens.json" })
            File.WriteAllText(Path.Combine(path, file), "{}");
        float[] values = [first, second, .. Enumerable.Repeat(0f, width - 2)];
        List<(string, Tensor)> tensors = [("lang_encoder.w", tensor(values).to_type(ScalarType.Float16)), ("clap.base.htsat.count", tensor(count))];
        if (further is not null)
            tensors.Add((further, ones(1)));
        SafeTensorsWriter.WriteFile(Path.Combine(path, "model.safetensors"), new MemorySource([.. tensors]));
        return path;
    }
}
