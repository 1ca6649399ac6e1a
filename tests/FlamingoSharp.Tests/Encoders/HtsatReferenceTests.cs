using System.Text.Json.Nodes;
using FlamingoSharp.Audio;
using FlamingoSharp.Encoders;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Encoders;

/// <summary>Golden numbers: kinds clapcap-htsat and afclap-htsat, the encoders of both models at full size.</summary>
[Trait("Category", "Reference")]
public sealed class HtsatReferenceTests
{
    public static TheoryData<string> Cases => [.. ReferenceSet.Cases("clapcap-htsat"), .. ReferenceSet.Cases("afclap-htsat")];

    [Theory, NoTensorLeak, MemberData(nameof(Cases))]
    public void Every_stage_of_the_encoder_equals_the_reference(string id)
    {
        var reference = ReferenceSet.Current.Case(id);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = reference.OpenExpected();
        using var encoder = ReferenceEncoders.Build(reference);

        var waves = stack([.. ReferenceWaves.Of(reference)]);
        TensorAssert.Close(golden.Read("waves_first16"), waves.narrow(1, 0, 16), 0, "waves_first16");

        var stages = reference.Json["stages"]!.AsObject();
        var seen = new HashSet<string>();
        var result = encoder.Encode(waves, (stage, value) =>
        {
            (stage, value) = AsStored(stages, stage, value);
            if (stages[stage] is not { } expected)
                return;
            seen.Add(stage);
            Check(golden, stage, value, expected);
        });

        Assert.Equal(stages.Select(s => s.Key).Order(), seen.Order());
        Assert.Equal([waves.shape[0], encoder.Options.OutputTokens, encoder.Options.OutputDim], result.shape);
        string output = encoder.Options.Output == HtsatOutput.Pooled ? $"embedding_{encoder.Options.ProjectionDim}" : "encodings";
        double tolerance = reference.Tolerance(stages[output]);
        if (encoder.Options.Output == HtsatOutput.Pooled)
        {
            TensorAssert.Close(golden.Read(output), result.squeeze(1), tolerance, output);
            return;
        }
        TensorAssert.Close(golden.Read("encodings/first_token"), result.select(1, 0), tolerance, "first token");
        TensorAssert.Close(golden.Read("encodings/last_token"), result.select(1, -1), tolerance, "last token");
        TensorAssert.Close(golden.Read("encodings/mean_over_tokens"), result.mean([1]), tolerance, "mean over tokens");
        TensorAssert.Close(golden.Read("encodings/token_l2"), result.to_type(ScalarType.Float64).pow(2).sum(-1).sqrt(),
            tolerance * Math.Sqrt(result.shape[2]), "norms of the tokens");
    }

    [Theory, NoTensorLeak, MemberData(nameof(Cases))]
    public void The_mel_bank_equals_the_reference(string id)
    {
        var reference = ReferenceSet.Current.Case(id);
        using var scope = NewDisposeScope();
        using var golden = reference.OpenExpected();
        var mel = ReferenceEncoders.Options(reference).Mel;
        string name = golden.Weights.ContainsKey("melW") ? "melW" : "mel_fb";

        TensorAssert.Close(golden.Read(name), tensor(LogMelBank.Weights(mel), mel.FftSize / 2 + 1, mel.Mels), 2e-5, name);
    }

    // AF-CLAP stores four equal copies of the spectrogram; the patches see the first, and so only one is computed here.
    private static (string Stage, Tensor Value) AsStored(JsonObject stages, string stage, Tensor value) => stage switch
    {
        "logmel" when stages.ContainsKey("mel_fusion") => ("mel_fusion", value.unsqueeze(1).expand(-1, 4, -1, -1)), // [n, 4, f, m]
        "bn0" when stages.ContainsKey("mel_fusion") => (stage, value.unsqueeze(3).expand(-1, -1, -1, 4)),           // [n, m, f, 4]
        "image" when stages.ContainsKey("image_channel0") => ("image_channel0", value.squeeze(1)),
        _ => (stage, value),
    };

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
