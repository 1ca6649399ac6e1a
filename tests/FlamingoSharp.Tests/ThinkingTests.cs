using FlamingoSharp.Generation;
using FlamingoSharp.TestKit;
using FlamingoSharp.Tests.Text;
using FlamingoSharp.Text;

namespace FlamingoSharp.Tests;

/// <summary>The two passes of a chain of thought, with scripted answers; the prompts are those of the vectors' SPEC, section 8.6.</summary>
public sealed class ThinkingTests
{
    private const string Whole = "<SUMMARY>s</SUMMARY><CAPTION>c</CAPTION><REASONING>r</REASONING><CONCLUSION>(A) church</CONCLUSION>";
    private static readonly SpecialTokens s_special = TokenizerSets.Load(TokenizerSets.Mini).Special with { Bos = null };
    private readonly List<(string[] Prompts, GenerationOptions Options)> _asked = [];

    [Fact]
    public void An_answer_with_a_conclusion_is_asked_for_once()
    {
        var thought = Think([Answer(Whole)], [Ask("Where?")])[0];
        Assert.Equal(["where? output the answer with <summary>, <caption>, <reasoning>, and <conclusion> tags.<SEP>"], Assert.Single(_asked).Prompts);
        Assert.Equal((Whole, "s", "c", "r", "(A) church"), (thought.Text, thought.Summary, thought.Caption, thought.Reasoning, thought.Conclusion));
        Assert.Equal([false], thought.Resumed);
    }

    [Fact]
    public void Only_answers_without_their_conclusion_are_asked_for_again_together()
    {
        var options = GenerationOptions.Foundation2 with { NumReturnSequences = 2, Seed = null };
        var found = Think(
            [Answer("a bell", "<reasoning>It Rings.</reasoning> so"), Answer(Whole, Whole), Answer("<reasoning>it barks. it", Whole)],
            [Ask("One?"), Ask("Two?"), Ask("Three?")], options, [Answer("(A) church</conclusion>"), Answer("a dog")]);
        Assert.Equal(2, _asked.Count);
        string Prompt(string question) => $"{question} output the answer with <summary>, <caption>, <reasoning>, and <conclusion> tags.<SEP>";
        Assert.Equal([Prompt("one?") + "<reasoning>it rings.</REASONING>\n<CONCLUSION>", Prompt("three?") + "<reasoning>it barks</REASONING>\n<CONCLUSION>"], _asked[1].Prompts);
        Assert.Equal(options with { NumReturnSequences = 1, Seed = 5 }, _asked[1].Options);

        Assert.Equal([[false, true], [false, false], [true, false]], found.Select(f => f.Resumed.ToArray()));
        Assert.Equal((null, "a bell"), (found[0].Conclusion, found[0].Text));
        Assert.Equal(("(A) church", "it rings."), (found[0].Thoughts[1].Conclusion, found[0].Thoughts[1].Reasoning));
        Assert.Equal(("a dog", "<reasoning>it barks</REASONING>\n<CONCLUSION>a dog"), (found[2].Conclusion, found[2].Answer.Text));
        Assert.Equal((14, null), (found[2].Answer.Candidates[0].Tokens, found[2].Answer.Candidates[0].Score));
        Assert.Equal([TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)], found.Select(f => f.Answer.Timing.Prefill));
    }

    [Fact]
    public void Where_a_second_prompt_does_not_fit_the_first_answer_is_kept()
    {
        var thought = Thinking.Run([Ask("Where?")], GenerationOptions.Greedy2, (_, _) => [Answer("<reasoning>it rings.")], _ => false)[0];
        Assert.Equal(("<reasoning>it rings.", "it rings.", null, false), (thought.Text, thought.Reasoning, thought.Conclusion, thought.Resumed[0]));
    }

    [Fact]
    public void A_model_of_another_form_is_refused_before_it_runs()
    {
        using var folder = new TinyModel();
        using var flamingo = Flamingo.Load(folder.Folder);
        using var sound = flamingo.Hear(TinyModel.Recording(1));
        var e = Assert.Throws<FlamingoException>(() => flamingo.Think(sound, "Where?"));
        Assert.Equal((FlamingoErrorKind.Usage,
            "The prompt format af1-inference has no form for reasoning; ask without it, or use a chain-of-thought model of Audio Flamingo 2."), (e.Kind, e.Message));
    }

    private IReadOnlyList<ReasonedAnswer> Think(Answer[] first, Question[] questions, GenerationOptions? options = null, Answer[]? second = null) =>
        Thinking.Run(questions, options ?? GenerationOptions.Greedy2, (batch, how) =>
        {
            _asked.Add(([.. batch.Select(q => q.Prompt.ToText(s_special))], how));
            return _asked.Count == 1 ? first : second!;
        }, _ => true);

    // Without a sound: the script does not listen.
    private static Question Ask(string question) => new(PromptFormat.Af2.AskToThink(TaskPrompts.Question(question), sounds: 0));

    private static Answer Answer(params string[] texts) => new()
    {
        Candidates = [.. texts.Select(t => new AnswerText(t, FinishReason.Stop, 7, 0.5))],
        PromptTokens = 3,
        SecondsHeard = 1,
        SecondsDropped = 0,
        Seed = 5,
        Timing = new GenerationTiming(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), 1),
    };
}
