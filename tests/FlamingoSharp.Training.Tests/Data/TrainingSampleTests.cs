using FlamingoSharp.TestKit;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.Tests.Data;

public sealed class TrainingSampleTests
{
    private static readonly Tokenizer Mini = Tokenizer.Load(Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini"));

    private static DatasetItem Item(params Example[] examples) => new("Set-AQA", examples, examples.Length > 1 ? ShotChoice.Random : null);

    private static Example Rain => new() { Name = "a.wav", Prompt = " Is it Raining? ", Output = "Yes ", AudioStart = 2, AudioDuration = 3 };

    // Source: Audio Flamingo 2's training template.
    [Fact]
    public void Audio_Flamingo_2_takes_questions_as_they_stand()
    {
        var composer = new SampleComposer([], PromptFormat.Af2);
        const string Text = "<audio>is it raining?<SEP>yes<|endofchunk|></s>";
        Assert.Equal(Text, composer.Training(Item(Rain), new NumpyGenerator(0)).Prompt.ToText(Mini.Special));
        Assert.Equal(Text, composer.Validation(Item(Rain), "val", null, new NumpyGenerator(0)).Prompt.ToText(Mini.Special));
    }

    [Fact]
    public void Audio_Flamingo_2_has_no_few_shot_texts() => Assert.Equal(
        "The prompt format af2 has no form for examples; ask without them.",
        Assert.Throws<FlamingoException>(() => new SampleComposer([], PromptFormat.Af2).Training(Item(Rain, Rain), new NumpyGenerator(0))).Message);

    [Fact]
    public void Sounds_come_with_their_start_and_length()
    {
        var sample = new SampleComposer([new BlendEntry { Name = "Set-AQA/train" }]).Training(Item(Rain, Rain with { Name = "b.wav", AudioStart = 0, AudioDuration = null }), new NumpyGenerator(0));
        Assert.Equal([("a.wav", 2.0), ("b.wav", 0.0)], sample.Sounds);
        Assert.Equal([3.0, null], sample.Durations);
    }
}
