using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using TorchSharp;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Models;

/// <summary>Golden vectors: cases of kind flamingo-forward without an encoder (af1-tiny and the like).</summary>
public sealed class FlamingoModelTests
{
    public static TheoryData<string, string> Cases => ReferenceSet.SubCases("flamingo-forward", c => c.Json["cases"] is not null);

    [Theory, NoTensorLeak, Trait("Category", "Reference")]
    [MemberData(nameof(Cases))]
    public void Logits_and_loss_equal_the_reference(string id, string name)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var reference = ReferenceSet.Current.Case(id);
        var sub = reference.Sub(name);
        using var golden = reference.OpenExpected();
        double tolerance = reference.Tolerance(sub);
        // A case named after its stride: every2 places a block before every second layer.
        int? every = name.StartsWith("every", StringComparison.Ordinal) ? int.Parse(name["every".Length..]) : null;
        using var model = ReferenceModels.Of(
            reference, (string?)sub["weights"], every, trainingCode: name.StartsWith("train_code", StringComparison.Ordinal));

        var ids = golden.Read($"{name}/input_ids");
        var attend = golden.Weights.ContainsKey($"{name}/attention_mask") ? golden.Read($"{name}/attention_mask").ne(0) : null;
        var encodings = Synth.Parse((string)sub["audio_embeds"]!, reference.Set.Salt)[0]; // [b, w, c] or [b, w, h, c]
        if (encodings.dim() == 3)
            encodings = encodings.unsqueeze(2);
        var valid = golden.Weights.ContainsKey($"{name}/audio_mask")
            ? golden.Read($"{name}/audio_mask").ne(0)
            : ones(encodings.shape[0], encodings.shape[1], ScalarType.Bool);
        using var media = model.Hear(encodings, valid);
        var logits = model.Forward(ids, attend, media);

        var expected = golden.Read($"{name}/logits");
        TensorAssert.Close(attend is null ? expected : expected[attend], attend is null ? logits : logits[attend], tolerance, "logits");
        if (golden.Weights.ContainsKey($"{name}/labels"))
        {
            var loss = LanguageLoss.Of(logits, golden.Read($"{name}/labels"));
            // Where nothing is scored the loss is NaN in both, and has no tolerance.
            double limit = sub["loss_atol"]!.GetValueKind() == System.Text.Json.JsonValueKind.Number ? (double)sub["loss_atol"]! : 0;
            TensorAssert.Close(golden.Read($"{name}/loss").view(-1), loss.view(-1), limit, "loss");
        }
        if (golden.Weights.ContainsKey($"{name}/second_ids"))
        {
            // Text without a sound token keeps the places of the prompt that the media were cached for.
            var second = model.Forward(golden.Read($"{name}/second_ids"), null, media, model.SoundPositions(ids));
            TensorAssert.Close(golden.Read($"{name}/second_logits"), second, tolerance, "second logits");
        }
    }

    /// <summary>The three forms of the kind: sub-cases here, sound in EndToEndTests, sampled stages in FullSizeTests.</summary>
    [Fact, Trait("Category", "Reference")]
    public void Every_case_is_of_a_form_that_some_test_reads() =>
        Assert.Empty(ReferenceSet.Current.OfKind("flamingo-forward")
            .Where(c => c.Json["cases"] is null && c.Json["audio_input"] is null && c.Json["stages"] is null).Select(c => c.Id));

    [Fact, NoTensorLeak]
    public void Text_without_sound_is_legal_and_hears_nothing()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = Tiny();
        var logits = model.Forward(tensor(new long[] { 2, 5, 7 }, [1, 3]), null, media: null);
        Assert.Equal([1, 3, 20], logits.shape);
        Assert.True(logits.isfinite().all().ToBoolean());
    }

    [Fact, NoTensorLeak]
    public void Silence_is_encoded_once_and_stands_where_it_was()
    {
        using var scope = NewDisposeScope();
        var encoder = new CountingEncoder();
        using var model = Tiny(encoder);
        var windows = zeros(5, 3);
        windows[1].fill_(1);
        windows[4].fill_(2);
        var encoded = model.Encode(windows);
        Assert.Equal(3, encoder.Encoded);
        Assert.Equal([0f, 3f, 0f, 0f, 6f], encoded.data<float>().ToArray());
    }

    [Fact, NoTensorLeak]
    public void A_batch_of_prompts_of_different_lengths_decodes_as_each_alone()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = Tiny();
        int[][] prompts = [[2, 1, 6, 7], [2, 1], [2, 5, 1, 5, 5, 8]];
        var encodings = rand(3, 4, 1, 8);
        var valid = ones(3, 4, ScalarType.Bool);
        using var media = model.Hear(encodings, valid);
        using var together = DecodingSession.Start(model, prompts, padToken: 0, media, maxNewTokens: 4);
        var first = together.Prefill();
        var second = together.Step([4, 5, 6]);
        for (int row = 0; row < prompts.Length; row++)
        {
            using var own = model.Hear(encodings.narrow(0, row, 1), valid.narrow(0, row, 1));
            using var alone = DecodingSession.Start(model, [prompts[row]], padToken: 0, own, maxNewTokens: 4);
            TensorAssert.Close(alone.Prefill()[0], first[row], 1e-5, $"row {row}, prompt");
            TensorAssert.Close(alone.Step([4 + row])[0], second[row], 1e-5, $"row {row}, next token");
        }
        Assert.Equal([4, 2, 6], together.PromptLengths);
    }

    [Fact, NoTensorLeak]
    public void Reordered_rows_go_on_as_the_rows_they_came_from()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = Tiny();
        using var media = model.Hear(rand(2, 4, 1, 8), ones(2, 4, ScalarType.Bool));
        int[][] prompts = [[2, 1, 6, 7], [2, 1]];
        using var plain = DecodingSession.Start(model, prompts, padToken: 0, media, maxNewTokens: 4);
        plain.Prefill();
        var expected = plain.Step([4, 5]);
        using var reordered = DecodingSession.Start(model, prompts, padToken: 0, media, maxNewTokens: 4);
        reordered.Prefill();
        reordered.Reorder([1, 0, 1]);
        var actual = reordered.Step([5, 4, 5]);
        TensorAssert.Close(expected.index_select(0, tensor(new long[] { 1, 0, 1 })), actual, 1e-5, "reordered");
        Assert.Equal(3, reordered.Rows);
    }

    private static FlamingoModel Tiny(CountingEncoder? encoder = null)
    {
        var model = new FlamingoModel(
            encoder,
            new AudioTransformer(new AudioTransformerOptions { Layers = 1, Heads = 2, Width = 8, FeedForward = 16, MaxVectors = 8, AttentionDropout = 0 }),
            new OptDecoder(
                new OptOptions { VocabularySize = 20, HiddenSize = 16, Layers = 2, Heads = 2, FeedForward = 32, MaxPositions = 16, Dropout = 0 },
                audioWidth: 8, new CrossAttentionOptions { Heads = 2, HeadWidth = 8 }),
            new Conditioning(SoundToken: 1, VectorsPerSound: 2, FewShotMask: true));
        ParameterInit.Initialize(model, seed: 3);
        using (no_grad())
        {
            // Open gates and large weights, so that what is heard matters.
            foreach (var (name, parameter) in model.named_parameters())
            {
                if (name.EndsWith("gate", StringComparison.Ordinal))
                    parameter.fill_(1);
                else if (parameter.dim() == 2)
                    parameter.mul_(3);
            }
        }
        model.eval();
        return model;
    }

    /// <summary>Sums a window, and counts how many it was given.</summary>
    private sealed class CountingEncoder() : nn.Module<Tensor, Tensor>(nameof(CountingEncoder))
    {
        public long Encoded { get; private set; }

        public override Tensor forward(Tensor windows)
        {
            Encoded += windows.shape[0];
            using var scope = NewDisposeScope();
            return windows.sum(1).view(-1, 1, 1).MoveToOuterDisposeScope();
        }
    }
}
