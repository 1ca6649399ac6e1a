using System.Text.Json.Nodes;
using FlamingoSharp.Audio;
using FlamingoSharp.Encoders;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Encoders;

[Trait("Category", "Reference")]
public sealed class HtsatReferenceTests
{
    public static TheoryData<string> Cases => ReferenceSet.Cases("clapcap-htsat");

    [Theory, NoTensorLeak, MemberData(nameof(Cases))]
    public void Every_stage_of_ClapCap_equals_the_reference(string id)
    {
        var reference = ReferenceSet.Current.Case(id);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = reference.OpenExpected();
        var options = ReferenceModels.Htsat(reference);
        using var encoder = new Htsat(options);
        using (var weights = reference.OpenWeights())
            ModuleWeights.Fill(encoder, weights, "clap.");
        encoder.eval();

        var waves = stack([.. ReferenceWaves.Of(reference)]);
        TensorAssert.Close(golden.Read("waves_first16"), waves.narrow(1, 0, 16), 0, "waves_first16");

        var stages = reference.Json["stages"]!.AsObject();
        var seen = new HashSet<string>();
        var result = encoder.Encode(waves, (stage, value) =>
        {
            if (stages[stage] is not { } expected)
                return;
            seen.Add(stage);
            Check(golden, stage, value, expected);
        });

        Assert.Equal(stages.Select(s => s.Key).Order(), seen.Order());
        Assert.Equal([waves.shape[0], options.OutputTokens, options.OutputDim], result.shape);
        TensorAssert.Close(golden.Read($"embedding_{options.ProjectionDim}"), result.squeeze(1),
            reference.Tolerance(stages[$"embedding_{options.ProjectionDim}"]));
    }

    [Theory, NoTensorLeak, MemberData(nameof(Cases))]
    public void The_mel_bank_of_ClapCap_equals_the_reference(string id)
    {
        var reference = ReferenceSet.Current.Case(id);
        using var scope = NewDisposeScope();
        using var golden = reference.OpenExpected();
        var mel = ReferenceModels.Htsat(reference).Mel;

        TensorAssert.Close(golden.Read("melW"), tensor(LogMelBank.Weights(mel), mel.FftSize / 2 + 1, mel.Mels), 2e-5);
    }

    private static void Check(SafeTensorsReader golden, string stage, Tensor value, JsonNode expected)
    {
        double tolerance = (double)expected["recommended_atol"]!;
        long count = expected["shape"]!.AsArray().Aggregate(1L, (a, d) => a * (long)d!);
        Assert.Equal(count, value.numel());
        if (golden.Weights.ContainsKey($"{stage}/val"))
            TensorAssert.Sampled(golden, stage, value, tolerance);
        else
            TensorAssert.Close(golden.Read(stage), value, tolerance, stage);

        using var scope = NewDisposeScope();
        var norms = golden.Read($"{stage}/l2_per_item");                            // one an item, or one for all
        var found = value.to_type(ScalarType.Float64).reshape(norms.shape[0], -1).pow(2).sum(1).sqrt();
        TensorAssert.Close(norms, found, tolerance * Math.Sqrt(count / norms.shape[0]), $"{stage}/l2_per_item");
    }
}
