using FlamingoSharp.Models;
using FlamingoSharp.Retrieval;
using FlamingoSharp.TestKit;
using FlamingoSharp.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests;

/// <summary>What is shown of the attention is what the model did.</summary>
public sealed class ExplanationTests
{
    [Theory, NoTensorLeak]
    [InlineData(false)]
    [InlineData(true)]
    public void The_weights_shown_make_the_output_of_the_block(bool masked)
    {
        using var scope = NewDisposeScope();
        using var block = new GatedCrossAttention(32, 16, new CrossAttentionOptions { Heads = 2, HeadWidth = 8 });
        ParameterInit.Initialize(block, seed: 3);
        var text = randn(2, 5, 32);
        var media = randn(2, 6, 16);
        var scores = masked ? CrossAttentionMask.ToScores(CrossAttentionMask.FewShot([[0, 3], [1, 2]], 0, 5, 3, 6), ScalarType.Float32) : null;
        var seen = new Dictionary<string, Tensor>();
        block.forward(text, block.Project(media), scores, (name, t) => seen[name] = t.clone().DetachFromDisposeScope());
        foreach (var tensor in seen.Values)
            scope.Attach(tensor);
        Assert.Equal([2, 2, 5, 6], seen["attn_weights"].shape);
        TensorAssert.Close(seen["attn_out"], seen["attn_weighted"], 1e-5, "weights applied to the values");
        TensorAssert.Close(ones(2, 2, 5), seen["attn_weights"].sum(-1), 1e-5, "sum");
        if (masked) // text before the second sound does not look at it
            Assert.Equal(0, seen["attn_weights"][0].narrow(1, 0, 3).narrow(2, 3, 3).abs().max().ToSingle());
    }

    [Theory, NoTensorLeak]
    [InlineData(false)]
    [InlineData(true)]
    public void An_explanation_gives_the_usual_answer_and_says_where_each_token_looked(bool second)
    {
        using var folder = new TinyModel(second ? TinyModel.Config2 : TinyModel.Config);
        using var flamingo = Flamingo.Load(folder.Folder);
        using var sound = flamingo.Hear(TinyModel.Recording(1));
        var options = flamingo.Config.Generation with { MaxNewTokens = 6 };
        var question = new Question(flamingo.Config.Prompts.Ask(TaskPrompts.Caption), sound);
        var explained = flamingo.Explain(question, options);
        Assert.Equal(flamingo.Answer([question], options)[0].Text, explained.Answer.Text);
        Assert.Equal(sound.Windows, explained.Stretches.Count);
        Assert.Equal((0, 1, second ? 1.0 : 0.5), (explained.Stretches[1].Sound, explained.Stretches[1].Window, explained.Stretches[1].StartSeconds));
        Assert.Equal(explained.Answer.Candidates[0].Tokens, explained.Tokens.Count);
        Assert.Equal(2, explained.Layers);
        Assert.All(explained.Tokens.SelectMany(t => t.Weights), w =>
        {
            Assert.Equal(explained.Stretches.Count, w.Length);
            Assert.Equal(1, w.Sum(), 4);
        });
        Assert.InRange(explained.Deviation, 0, 1e-4);
    }

    [Fact, NoTensorLeak]
    public void With_examples_the_answer_looks_at_all_sounds()
    {
        using var folder = new TinyModel();
        using var flamingo = Flamingo.Load(folder.Folder);
        using var shot = flamingo.Hear(TinyModel.Recording(2, 0.8));
        using var asked = flamingo.Hear(TinyModel.Recording(1));
        var shots = new ShotSet(ShotChoice.Similar, [new ShotEntry("s", "rain")]);
        var explained = flamingo.Explain(FewShot.Ask(flamingo.Config.Prompts, TaskPrompts.Caption, shots, [shot], asked), new() { MaxNewTokens = 4 });
        Assert.Equal([0, 1, 1, 1], explained.Stretches.Select(s => s.Sound));
        Assert.All(explained.Tokens.SelectMany(t => t.Weights), w => Assert.Equal(1, w.Sum(), 4));
    }

    [Fact]
    public void A_question_about_no_sound_cannot_be_explained()
    {
        using var folder = new TinyModel();
        using var flamingo = Flamingo.Load(folder.Folder);
        var error = Assert.Throws<FlamingoException>(() => flamingo.Explain(new Question(flamingo.Config.Prompts.Ask("", "hello", sounds: 0))));
        Assert.Equal("The question is about no sound, so there is nothing that its answer can have looked at.", error.Message);
    }
}
