using System.Text.Json.Nodes;
using FlamingoSharp.TestKit;
using FlamingoSharp.Training.Data;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Tests.Data;

/// <summary>Golden labels: tests/ReferenceVectors, kind label-masking (the training steps of Audio Flamingo 1 and 2).</summary>
public sealed class LabelMaskTests
{
    public static TheoryData<string, string> Cases => ReferenceSet.SubCases("label-masking");

    public static TheoryData<string> Batches => ReferenceSet.Cases("label-masking");

    [Theory, MemberData(nameof(Cases)), Trait("Category", "Reference")]
    public void Labels_are_those_of_the_reference(string id, string name)
    {
        var reference = ReferenceSet.Current.Case(id);
        var sub = reference.Sub(name);
        var rule = Rule(reference);
        Assert.Equal(Row(sub, "labels"), rule.Apply(Row(sub, "input_ids")));
        Assert.Equal(Row(sub, "labels_af2_rule"), (rule with { Leading = 1 }).Apply(Row(sub, "input_ids")));
    }

    [Theory, NoTensorLeak, MemberData(nameof(Batches)), Trait("Category", "Reference")]
    public void Labels_of_a_padded_batch_are_those_of_the_reference(string id)
    {
        using var scope = NewDisposeScope();
        var reference = ReferenceSet.Current.Case(id);
        using var expected = reference.OpenExpected();
        Assert.Equal(Rows(expected.Read("batch/labels")), Rule(reference).Apply(Rows(expected.Read("batch/input_ids"))));
    }

    [Fact]
    public void The_rule_follows_from_the_tokenizer()
    {
        var mini = FlamingoSharp.Text.Tokenizer.Load(Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini"));
        Assert.Equal(new LabelMask { Eos = 2, Pad = 1, Audio = 4100, EndOfChunk = 4101, Separator = 4102, Leading = 2 }, LabelMask.For(mini.Special));
        Assert.Equal(1, LabelMask.For(mini.Special with { Bos = null }).Leading);
    }

    private static LabelMask Rule(ReferenceCase reference)
    {
        var ids = reference.Json["token_ids"]!;
        return new LabelMask
        {
            Eos = (long)(ids["eos_and_bos"] ?? ids["eos"])!,
            Pad = (long)ids["pad"]!,
            Audio = (long)ids["audio"]!,
            EndOfChunk = (long)ids["endofchunk"]!,
            Separator = (long)ids["sep"]!,
        };
    }

    private static long[] Row(JsonObject sub, string name) => [.. sub[name]!.AsArray().Select(v => (long)v!)];

    private static List<long[]> Rows(Tensor tensor)
    {
        long width = tensor.shape[1];
        return [.. tensor.to_type(ScalarType.Int64).data<long>().ToArray().Chunk((int)width)];
    }
}
