using System.Text.Json.Nodes;
using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using FlamingoSharp.Training.Data;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Tests.Loop;

/// <summary>Golden vectors: cases of kind training (the reference's own train_one_epoch, every dropout 0).</summary>
public sealed class TrainingStepTests
{
    public static TheoryData<string, string> Cases => ReferenceSet.SubCases("training", property: "variants");

    [Theory, Trait("Category", "Reference")]
    [MemberData(nameof(Cases))]
    public void Steps_equal_the_reference(string id, string name)
    {
        using var scope = NewDisposeScope();
        var reference = ReferenceSet.Current.Case(id);
        var variant = reference.Sub(name, "variants");
        using var golden = reference.OpenExpected();
        var af1 = reference.Set.Case("af1-tiny");
        var tokens = ReferenceModels.TokenIds(af1);
        using var model = ReferenceModels.Of(af1, (string)reference.Json["weights"]!, (int)variant["every"]!);
        var before = model.named_parameters().ToDictionary(p => p.name, p => p.parameter.detach().clone());

        bool frozen = (bool)variant["freeze_lm_embeddings"]!;
        using var step = new TrainingStep(
            model,
            (string)variant["stage"]! == "sft" ? TrainingStage.SupervisedFineTuning : TrainingStage.Pretrain,
            new OptimizationOptions
            {
                LearningRate = (double)variant["base_lr"]!,
                WarmupSteps = (int)variant["warmup"]!,
                Accumulation = (int)variant["accum"]!,
                Embeddings = frozen ? EmbeddingTraining.Frozen : EmbeddingTraining.SoundTokens,
            },
            [(int)tokens["audio"]!, (int)tokens["endofchunk"]!]);

        double[] losses = Numbers(variant["losses"]!), norms = Numbers(variant["grad_norms_before_clip"]!), rates = Numbers(variant["lr_used"]!);
        int count = reference.Json["batches"]!.AsArray().Count;
        for (int i = 0; i < count; i++)
        {
            var result = step.Run(Batch(reference, golden, i), last: i == count - 1);
            Assert.Equal(rates[i], result.LearningRate, 1e-12);
            TensorAssert.Close([losses[i]], [result.Loss], 2e-5, $"loss of batch {i}");
            TensorAssert.Close([norms[i]], [result.GradientNorm], 1e-4 * norms[i], $"gradient norm of batch {i}");
        }
        CompareParameters(variant, model, before, golden, tokens);
    }

    private static void CompareParameters(
        JsonObject variant, FlamingoModel model, Dictionary<string, Tensor> before, SafeTensorsReader golden, JsonObject tokens)
    {
        double tolerance = 10 * (double)variant["max_abs_param_diff_fp32_vs_fp64"]!;
        var after = model.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        foreach (var (name, entry) in variant["parameters"]!.AsObject())
        {
            Assert.True(after.ContainsKey(name), $"The model has no parameter {name}.");
            Assert.True((bool)entry!["trainable"]! == after[name].requires_grad, $"{name}: trainable should be {entry["trainable"]}.");
            using var scope = NewDisposeScope();
            double change = (after[name].detach() - before[name]).to_type(ScalarType.Float64).norm().item<double>();
            double expected = (double)entry["l2_change"]!;
            // Where a gradient is nothing but rounding (the bias of a key leaves the softmax as it is), Adam makes whole steps of the
            // noise: there the vectors' rule holds, ten times what the reference itself differs by in single and double precision.
            double noise = 10 * Math.Abs(expected - ((double?)entry["fp64_l2_change"] ?? expected));
            TensorAssert.Close([expected], [change], Math.Max(Math.Max(1e-3 * expected, noise), 1e-9), $"{name}: change");
            double sumNoise = 10 * Math.Abs((double)entry["sum"]! - ((double?)entry["fp64_sum"] ?? (double)entry["sum"]!));
            double sum = after[name].detach().to_type(ScalarType.Float64).sum().item<double>();
            TensorAssert.Close([(double?)entry["fp64_sum"] ?? (double)entry["sum"]!], [sum], Math.Max(tolerance * after[name].numel(), sumNoise), $"{name}: sum");
        }
        string prefix = $"{(string)variant["name"]!}/after/";
        foreach (string key in golden.Weights.Keys.Where(k => k.StartsWith(prefix, StringComparison.Ordinal)))
        {
            string name = key[prefix.Length..];
            var stored = golden.Read(key);
            var actual = name.EndsWith("embed_tokens.weight", StringComparison.Ordinal)
                ? after[name].index_select(0, tensor(new long[] { (long)tokens["audio"]!, (long)tokens["endofchunk"]! }))
                : after[name].reshape(-1).narrow(0, 0, stored.numel());
            TensorAssert.Close(stored, actual.view(stored.shape), tolerance, key);
        }
    }

    private static TrainingBatch Batch(ReferenceCase reference, SafeTensorsReader golden, int index)
    {
        var ids = golden.Read($"batch{index}/input_ids");
        var masking = reference.Set.Case("label-masking");
        var special = masking.Json["token_ids"]!;
        var rule = new LabelMask
        {
            Eos = (long)(special["eos_and_bos"] ?? special["eos"])!,
            Pad = (long)special["pad"]!,
            Audio = (long)special["audio"]!,
            EndOfChunk = (long)special["endofchunk"]!,
            Separator = (long)special["sep"]!,
        };
        var labels = tensor([.. rule.Apply(Rows(ids)).SelectMany(row => row)], ids.shape);
        var encodings = Synth.Parse((string)reference.Json["audio_embeds"]!, reference.Set.Salt, index)[0].unsqueeze(2);
        return new TrainingBatch(ids, ids.ne(rule.Pad), labels, encodings, golden.Read($"batch{index}/audio_mask").ne(0));
    }

    private static List<long[]> Rows(Tensor ids) => [.. ids.data<long>().ToArray().Chunk((int)ids.shape[1])];

    private static double[] Numbers(JsonNode array) => [.. array.AsArray().Select(n => (double)n!)];
}
