using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Models;

/// <summary>
/// The real sizes with synthetic weights: 9 GB of float32 for Audio Flamingo 1, 3.2 GB for 2 over Qwen2.5-0.5B. Runs when FLAMINGO_FULLSIZE=1.
/// Golden vectors: cases of kind flamingo-forward whose results are sampled.
/// </summary>
[Trait("Category", "Reference")]
[Trait("Category", "FullSize")]
public sealed class FullSizeTests
{
    public static TheoryData<string> Cases => ReferenceSet.Cases("flamingo-forward", c => c.Json["stages"] is not null);

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_real_size_equals_the_reference(string id)
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("FLAMINGO_FULLSIZE") == "1", "Set FLAMINGO_FULLSIZE=1 to run; needs 12 GB of memory.");
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var reference = ReferenceSet.Current.Case(id);
        using var golden = reference.OpenExpected();
        using var model = ReferenceModels.Of(reference);

        var ids = golden.Read("input_ids");
        var encodings = Synth.Parse((string)reference.Json["audio_embeds"]!, reference.Set.Salt)[0]; // [b, w, c] or [b, w, h, c]
        if (encodings.dim() == 3)
            encodings = encodings.unsqueeze(2);
        using var media = model.Hear(encodings, golden.Read("audio_mask").ne(0));
        var stages = reference.Json["stages"]!.AsObject();
        Compare("audio_transformer", media.Vectors);
        var seen = new HashSet<string> { "audio_transformer" };
        var logits = model.Forward(ids, null, media, probe: (stage, value) =>
        {
            // hidden_layer0 is the input of decoder layer 0, hidden_layer(k+1) the output of layer k.
            if (!stage.StartsWith("hidden_layer", StringComparison.Ordinal))
                return;
            string name = $"layer{int.Parse(stage["hidden_layer".Length..]) - 1}";
            if (!stages.ContainsKey(name))
                return;
            seen.Add(name);
            Compare(name, value);
        });
        Assert.Equal(stages.Select(s => s.Key).Order(), seen.Order());

        double tolerance = reference.Tolerance();
        TensorAssert.Close(
            golden.Read("sampled_logits"), logits[0].index_select(1, golden.Read("sampled_vocab_ids")), tolerance, "sampled logits");
        CompareTopTen(golden, logits, tolerance);
        CompareGreedy(golden, model, media, ids);

        void Compare(string stage, Tensor value)
        {
            double limit = (double)stages[stage]!["recommended_atol"]!;
            TensorAssert.Sampled(golden, stage, value, limit);
            TensorAssert.Close(golden.Read($"{stage}/row_l2"), value.pow(2).sum(-1).sqrt(), limit * Math.Sqrt(value.shape[2]), $"{stage}/row_l2");
        }
    }

    // Values within the tolerance; ids only where neighbours differ by more than it.
    private static void CompareTopTen(SafeTensorsReader golden, Tensor logits, double tolerance)
    {
        var (values, indices) = logits.topk(10);
        var expected = golden.Read("top10_values");
        TensorAssert.Close(expected, values, tolerance, "ten best logits");
        float[] flat = expected.contiguous().data<float>().ToArray();
        long[] expectedIds = golden.Read("top10_ids").contiguous().data<long>().ToArray();
        long[] actualIds = indices.contiguous().data<long>().ToArray();
        int compared = 0;
        for (int i = 0; i < flat.Length; i++)
        {
            bool clearAbove = i % 10 == 0 || flat[i - 1] - flat[i] > tolerance;
            bool clearBelow = i % 10 < 9 && flat[i] - flat[i + 1] > tolerance;
            if (!clearAbove || !clearBelow)
                continue;
            Assert.Equal(expectedIds[i], actualIds[i]);
            compared++;
        }
        Assert.True(compared > flat.Length / 2, $"Only {compared} of {flat.Length} ids could be compared.");
    }

    private static void CompareGreedy(SafeTensorsReader golden, FlamingoModel model, Media media, Tensor prompt)
    {
        long[] expected = golden.Read("greedy_ids").data<long>().ToArray();
        int length = (int)prompt.shape[1];
        using var session = new DecodingSession(model, prompt, null, media, expected.Length - length);
        var generated = new List<long>();
        var logits = session.Prefill();
        while (generated.Count < expected.Length - length)
        {
            generated.Add(logits[0].argmax().item<long>());
            logits = session.Step([generated[^1]]);
        }
        Assert.Equal(expected[length..], generated);
    }
}
