using System.Text.Json.Nodes;
using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Models;

/// <summary>Golden vectors: tests/ReferenceVectors/audio-transformer-v1 and -v2.</summary>
public sealed class AudioTransformerTests
{
    public static TheoryData<string, string> Cases => ReferenceSet.SubCases("audio-transformer");

    [Theory, NoTensorLeak, Trait("Category", "Reference")]
    [MemberData(nameof(Cases))]
    public void Windows_are_related_as_in_the_reference(string id, string name)
    {
        using var scope = NewDisposeScope();
        var reference = ReferenceSet.Current.Case(id);
        var sub = reference.Sub(name);
        using var golden = reference.OpenExpected();
        double tolerance = reference.Tolerance(sub);
        using var transformer = Build(reference.Json["config"]!.AsObject());
        using var weights = reference.OpenWeights();
        string path = weights.Weights.Keys.First().Split('.')[0]; // audio_transformer or audio_transformer_clap
        ModuleWeights.Fill(transformer, weights, path + ".");
        transformer.eval();

        var input = Synth.Parse((string)sub["input"]!, reference.Set.Salt)[0];
        Tensor? valid = null;
        if (golden.Weights.ContainsKey($"{name}/mask"))
            valid = golden.Read($"{name}/mask").view(input.shape[0], input.shape[1]).ne(0);
        var stages = new Dictionary<string, Tensor>();
        var output = transformer.forward(input, valid, (stage, t) => stages[stage] = t.clone().DetachFromDisposeScope());
        try
        {
            TensorAssert.Sampled(golden, $"{name}/out", output, tolerance);
            int compared = 0;
            foreach (string key in golden.Weights.Keys.Where(k => k.StartsWith(name + "/", StringComparison.Ordinal)))
            {
                string[] parts = key.Split('/');
                Tensor? actual = parts[^1] switch
                {
                    "row_l2" => output.pow(2).sum(-1).sqrt(),
                    "first_row" => Stage(parts[1]).select(1, 0),
                    "last_row" => Stage(parts[1]).select(1, -1),
                    "row63" => Stage(parts[1]).select(1, 63),
                    "attn_layer0_head0" => stages["attention"][0, 0],
                    "attn_layer0_head0_row5" => stages["attention"][0, 0, 5],
                    _ => null,
                };
                if (actual is null)
                    continue;
                // An L2 norm of a row adds up its elements' differences.
                double limit = parts[^1] == "row_l2" ? tolerance * Math.Sqrt(output.shape[2]) : tolerance;
                TensorAssert.Close(golden.Read(key), actual, limit, key);
                compared++;
            }
            Assert.True(compared >= 3, $"{id}/{name} has only {compared} stored rows.");
        }
        finally
        {
            foreach (var stage in stages.Values)
                stage.Dispose();
        }

        Tensor Stage(string stage) => stage == "out" ? output : stages[stage];
    }

    [Fact, Trait("Category", "Reference")]
    public void The_table_of_positions_is_the_reference_s()
    {
        using var scope = NewDisposeScope();
        foreach (var reference in ReferenceSet.Current.OfKind("audio-transformer").Where(c => !c.IsAf2))
        {
            using var golden = reference.OpenExpected();
            var expected = golden.Read("pos_table");
            var config = reference.Json["config"]!;
            var table = AudioTransformer.SinusoidTable((int)config["n_position"]!, (int)config["d_model"]!);
            TensorAssert.Close(expected.view(-1, table.shape[1]), table.narrow(0, 0, expected.numel() / table.shape[1]), 1e-7, "pos_table");
        }
    }

    [Fact, Trait("Category", "Reference")]
    public void The_frequencies_of_rotary_positions_are_the_reference_s()
    {
        using var scope = NewDisposeScope();
        foreach (var reference in ReferenceSet.Current.OfKind("audio-transformer").Where(c => c.IsAf2))
        {
            using var golden = reference.OpenExpected();
            var rotary = reference.Json["config"]!["rotary"]!;
            float[] found = RotaryPositions.Frequencies((long)rotary["dims"]!, (double)rotary["base"]!);
            TensorAssert.Close(golden.Read("inv_freq"), tensor(found), 1e-7, "inv_freq");
        }
    }

    [Fact]
    public void More_windows_than_positions_are_refused()
    {
        using var transformer = new AudioTransformer(new AudioTransformerOptions { Layers = 1, Width = 16, Heads = 2, FeedForward = 16, MaxVectors = 4 });
        ParameterInit.Initialize(transformer, seed: 1);
        using var scope = NewDisposeScope();
        var error = Assert.Throws<FlamingoException>(() => transformer.forward(zeros(1, 5, 16)));
        Assert.Equal("The prompt holds 5 audio windows but this model has positions for 4. Use fewer sounds or shots.", error.Message);
    }

    private static AudioTransformer Build(JsonObject config) => new(new AudioTransformerOptions
    {
        Layers = (int)config["n_layers"]!,
        Heads = (int)config["n_head"]!,
        Width = (int)config["d_model"]!,
        FeedForward = (int)config["d_inner"]!,
        Positions = config["rotary"] is null ? AudioPositions.Sinusoid : AudioPositions.Rotary,
        MaxVectors = (int?)config["n_position"] ?? 0,
        MaskPadding = config["rotary"] is not null,
    });
}
