using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Models;

/// <summary>Golden vectors: tests/ReferenceVectors/gated-xattn-v1 and -v2.</summary>
public sealed class GatedCrossAttentionTests
{
    public static TheoryData<string, string> Cases => ReferenceSet.SubCases("gated-xattn");

    [Theory, NoTensorLeak, Trait("Category", "Reference")]
    [MemberData(nameof(Cases))]
    public void Text_hears_what_the_reference_lets_it_hear(string id, string name)
    {
        using var scope = NewDisposeScope();
        var reference = ReferenceSet.Current.Case(id);
        var sub = reference.Sub(name);
        int width = (int)(sub["dim"] ?? reference.Json["config"]!["dim"])!;
        int audioWidth = (int)(sub["dim_audio"] ?? reference.Json["config"]!["dim_audio"])!;
        string prefixes = (string)reference.Json["weight_prefix"]!;
        string prefix = prefixes.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries)
            .Single(word => word.EndsWith($"d{width}.", StringComparison.Ordinal));
        using var block = new GatedCrossAttention(width, audioWidth, new CrossAttentionOptions
        {
            Heads = (int)reference.Json["config"]!["heads"]!,
            HeadWidth = (int)reference.Json["config"]!["dim_head"]!,
        });
        ModuleWeights.Fill(block, reference.OpenWeights(prefix: prefix));

        var inputs = Synth.Parse((string)sub["input"]!, reference.Set.Salt);
        var (x, media) = (inputs[0], inputs[1]);
        long[][] positions = [.. sub["media_locations"]!.AsArray().Select(row => row!.AsArray().Select(p => (long)p!).ToArray())];
        long vectorsPerSound = (long)sub["max_window_per_audio"]!;
        bool fewShot = !((string?)sub["variant"] ?? "").StartsWith("released", StringComparison.Ordinal);
        if (sub["expect_exception"] is not null)
        {
            var error = Assert.Throws<FlamingoException>(() => Scores());
            Assert.Equal("Row 0 has audio but its prompt has no sound token; the few-shot mask needs one for each sound.", error.Message);
            return;
        }

        using var golden = reference.OpenExpected();
        if (golden.Weights.ContainsKey($"{name}/media_mask"))
            TensorAssert.Close(golden.Read($"{name}/media_mask"), Valid(), 0, "media_mask");
        Tensor? attended = null;
        var output = block.forward(x, block.Project(media), Scores(), (_, t) => attended = t.clone().MoveToOuterDisposeScope());
        TensorAssert.Close(golden.Read($"{name}/attn_out"), attended!, reference.Tolerance(sub), "attn_out");
        TensorAssert.Close(golden.Read($"{name}/out"), output, reference.Tolerance(sub), "out");

        Tensor Scores()
        {
            var visible = Valid().unsqueeze(1); // [b, 1, l]
            if (fewShot)
            {
                // In cached cases the rows are counted from 0 although the positions are those of the prompt.
                var rows = media.shape[0] == 1 ? positions[..1] : positions;
                visible = visible.logical_and(CrossAttentionMask.FewShot(rows, 0, x.shape[1], vectorsPerSound, media.shape[1]));
            }
            return CrossAttentionMask.ToScores(visible, ScalarType.Float32);
        }

        Tensor Valid()
        {
            var valid = zeros(media.shape[0], media.shape[1], ScalarType.Bool);
            if (sub["valid_media_positions"] is { } leading)
            {
                for (int b = 0; b < media.shape[0]; b++)
                    valid[b].narrow(0, 0, (long)leading[b]!).fill_(true);
                return valid;
            }
            for (int b = 0; b < media.shape[0]; b++)
            {
                var slots = sub["valid_windows_per_audio"]![b]!.AsArray();
                for (int slot = 0; slot < slots.Count; slot++)
                    valid[b].narrow(0, slot * vectorsPerSound, (long)slots[slot]!).fill_(true);
            }
            return valid;
        }
    }

    [Fact]
    public void A_new_block_is_the_identity()
    {
        using var scope = NewDisposeScope();
        using var block = new GatedCrossAttention(32, 16, new CrossAttentionOptions { Heads = 2, HeadWidth = 8 });
        ParameterInit.Initialize(block, seed: 1);
        var text = rand(2, 5, 32);
        var output = block.forward(text, block.Project(rand(2, 4, 16)), zeros(2, 1, 5, 4));
        Assert.True(output.equal(text).all().ToBoolean());
    }
}
