using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Evaluation;

namespace FlamingoSharp.Training.Tests.Evaluation;

/// <summary>Dialogues in which a model is asked about its own answers.</summary>
public sealed class DialogueConsistencyTests
{
    private static readonly FlamingoConfig s_config = FlamingoConfig.Load(Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini", "config.json"));
    private static readonly Tokenizer s_tokenizer = Tokenizer.Load(Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini"));

    [Theory]
    [InlineData("sound_class", "axe", "can you hear an axe chopping?")] // as the data set asks
    [InlineData("sound_class", "Dog", "can you hear a dog?")]
    [InlineData("sound_class", "owl.", "can you hear an owl?")]
    [InlineData("sound_class", "rain", "can you hear rain?")]
    [InlineData("sound_class", "footsteps", "can you hear footsteps?")]
    [InlineData("sound_class", "snoring", "can you hear snoring?")]
    [InlineData("instrument", "acoustic bass", "can you hear an acoustic bass?")]
    [InlineData("instrument", "a piano", "can you hear a piano?")]
    [InlineData("language", "english", "is someone speaking english?")]
    public void Presence_is_asked_in_the_words_of_the_data_set(string type, string label, string question)
    {
        var wording = new PresenceWording([(["axe", "tool"], "can you hear an axe chopping?"), (["axe", "tool"], "Can you hear a tool?"), (["dog"], "Is this a dog barking?")]);
        Assert.Equal(question, wording.Ask(type, label));
    }

    [Fact]
    public void The_second_turns_follow_from_the_models_own_answer()
    {
        var item = Items()[0];
        var question = EvaluationQuestion.Of(item, s_config, s_tokenizer);
        Assert.EndsWith("the task is dialog.<audio>user: what sound is this? \nassistant: <SEP>", question.Text, StringComparison.Ordinal);
        var next = question.Next("Rain.");
        Assert.Equal(5, next.Count);
        Assert.All(next, n => Assert.Equal(question.Sounds, n.Sounds));
        Assert.All(next, n => Assert.Empty(n.Next("yes")));
        string begun = "assistant: <SEP>Rain.<|endofchunk|></s>\nuser: ";
        Assert.EndsWith($"{begun}can you hear rain? \nassistant: <SEP>", next[0].Text, StringComparison.Ordinal);
        string other = next[1].Text.Split("user: can you hear a ")[1].Split('?')[0];
        Assert.Contains(other, new[] { "bell", "cow" }); // never dog, which is heard, nor rain, which was said
        Assert.EndsWith($"{begun}what sound is this? \nassistant: <SEP>", next[2].Text, StringComparison.Ordinal);
        Assert.EndsWith("please answer this question: can you hear rain?\noptions:\nyes.\nno.\nanswer:<SEP>", next[3].Text, StringComparison.Ordinal);
        Assert.Contains($"can you hear a {other}?", next[4].Text, StringComparison.Ordinal);
        Assert.DoesNotContain("user:", next[4].Text, StringComparison.Ordinal);
        Assert.Empty(question.Next(" . ")); // who says nothing cannot be asked about it
    }

    [Fact]
    public void Shares_are_counted_over_dialogues()
    {
        var items = Items();
        var questions = items.ToDictionary(i => i.Id, i => EvaluationQuestion.Of(i, s_config, s_tokenizer));
        var answers = new Dictionary<string, AnswerRecord>();
        void Say(EvaluationQuestion question, string text) => answers[question.Key] = new(question.Key, question.Id, question.Text, text, 1, false, 1, 0);
        // first answer; then: own, other, again, own alone, other alone
        string[][] said =
        [
            ["dog", "yes.", "no", "dog", "yes", "no"],
            ["bell", "yes", "yes, I do", "cow", "yes", "no"],
            ["rain", "no", "no", "rain", "yes", "maybe"],
            [""],
        ];
        foreach (var (item, texts) in items.Zip(said))
        {
            Say(questions[item.Id], texts[0]);
            foreach (var (next, text) in questions[item.Id].Next(texts[0]).Zip(texts.Skip(1)))
                Say(next, text);
        }
        var (score, dialogues) = DialogueConsistency.Score(new("row", AnswerKind.Consistency, items), questions, answers);
        Assert.Equal(1 / 4.0, score["consistent"]);
        Assert.Equal(2 / 4.0, score["affirms_own"]);
        Assert.Equal(2 / 4.0, score["denies_other"]);
        Assert.Equal(2 / 4.0, score["repeats"]);
        Assert.Equal((1 + 0.5) / 4.0, score["same_alone"]);
        Assert.Equal(3 / 4.0, score["exact"]);
        Assert.Equal(1 / 4.0, score["unparsed"]);
        Assert.Equal([true, false, false, false], dialogues.Select(d => d.Right!.Value));
        Assert.StartsWith("dog | can you hear a dog? yes. | can you hear ", dialogues[0].Answer, StringComparison.Ordinal);
    }

    // dog, bell, rain, cow: four sounds of one type.
    private static EvaluationItem[] Items()
    {
        string[] labels = ["dog", "bell", "rain", "cow"];
        EvaluationItem[] asked = [.. labels.Select((l, i) => new EvaluationItem
        {
            Id = $"{i}",
            Task = "Mine-AQA",
            Type = "sound_class",
            Kind = AnswerKind.Choice,
            Sound = new($"/{l}.wav", 0, null),
            Prompt = EvaluationWording.Of(AnswerKind.Choice, "Mine-AQA", "what sound is this?", labels, asWritten: false),
            Choices = labels,
            Expected = [l],
            Labels = [l],
        })];
        Assert.True(DialogueConsistency.Asks("sound_class", AnswerKind.Choice));
        Assert.False(DialogueConsistency.Asks("count", AnswerKind.Choice));
        return [.. DialogueConsistency.Of(asked, "sound_class", new([]))];
    }
}
