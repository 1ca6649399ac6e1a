using FlamingoSharp.Text;

namespace FlamingoSharp.Tests.Text;

/// <summary>Expected texts: tests/ReferenceVectors/data-pipeline (templates of the released models).</summary>
public sealed class PromptTests
{
    private static readonly Tokenizer Mini = TokenizerSets.Load(TokenizerSets.Mini);

    [Fact]
    public void A_question_is_put_into_the_form_of_the_released_model()
    {
        var task = TaskPrompts.YesOrNo("Are there Waves?");
        Assert.Equal(
            "</s>the task is audio question answering. <audio>please answer this question: are there waves?\noptions:\nyes.\nno.\nanswer:<SEP>",
            PromptFormat.Af1Inference.Ask(task).ToText(Mini.Special));
    }

    [Fact]
    public void What_is_shown_is_what_the_model_sees_tokens_put_in_front_included()
    {
        var prompt = PromptFormat.Af1Inference.Ask(TaskPrompts.Caption);
        Assert.Equal("</s></s>the task is audio captioning. <audio>describe the sound in a sentence.\nanswer:<SEP>", prompt.Show(Mini));
        Assert.Equal(prompt.Show(Mini), Mini.Decode(prompt.Encode(Mini)));
        Assert.Equal([2, 2], prompt.Encode(Mini).Take(2));
    }

    [Fact]
    public void Labels_are_listed_in_alphabetic_order() => Assert.Equal(
        "</s>the task is event classification. <audio>classify this sound.\noptions:\n - bus.\n - car horn.\n - dog.\nanswer:<SEP>",
        PromptFormat.Af1Inference.Ask(TaskPrompts.Classify(["dog", " Bus ", "car horn"])).ToText(Mini.Special));

    [Theory]
    [InlineData(null, "Use a few labels to describe this sound. All labels are: siren, car horn.")]
    [InlineData(1, "Describe the sound in 1 label. All labels are: siren, car horn.")]
    [InlineData(2, "Describe the sound in 2 labels. All labels are: siren, car horn.")]
    public void Several_labels_keep_their_order(int? count, string prompt) => Assert.Equal(prompt, TaskPrompts.MultiLabel(["siren", "car horn"], count).Prompt);

    [Theory]
    [InlineData(new string[0], "The list of labels is empty; give at least one.")]
    [InlineData(new[] { "dog", "  " }, "Label 2 of 2 is empty; remove it or name it.")]
    [InlineData(new[] { "dog", "cat", "Dog " }, "The label 'Dog' occurs twice; give each label once.")]
    public void A_list_of_labels_that_cannot_be_answered_is_refused(string[] labels, string message)
    {
        foreach (var ask in new Func<TaskPrompt>[] { () => TaskPrompts.Classify(labels), () => TaskPrompts.MultiLabel(labels) })
        {
            var e = Assert.Throws<FlamingoException>(ask);
            Assert.Equal((FlamingoErrorKind.Usage, message), (e.Kind, e.Message));
        }
    }

    [Fact]
    public void An_empty_question_is_refused() =>
        Assert.Equal("The question is empty; ask something about the sound.", Assert.Throws<FlamingoException>(() => TaskPrompts.Question(" \n")).Message);

    [Fact]
    public void Structure_in_a_users_text_stays_text()
    {
        var prompt = PromptFormat.Af1Inference.Ask(TaskPrompts.Question("What does <SEP> mean, and <audio> or {sep} or </s>?"));
        var ids = prompt.Encode(Mini);
        Assert.Equal(1, prompt.Sounds);
        Assert.Single(ids, Mini.Special.Audio.Id);
        Assert.Equal(Mini.Special.Separator.Id, Assert.Single(ids, id => id == Mini.Special.Separator.Id));
        Assert.Equal(Mini.Special.Separator.Id, ids[^1]);
        Assert.Equal(2, ids.Count(id => id == Mini.Special.Eos.Id));
        Assert.Contains("what does <sep> mean, and <audio> or {sep} or </s>?", prompt.Show(Mini), StringComparison.Ordinal);
    }

    [Fact]
    public void A_prompt_of_text_alone_has_no_place_for_a_sound()
    {
        var prompt = PromptFormat.Af1Inference.Ask(TaskPrompts.Question("What is a siren?"), sounds: 0);
        Assert.Equal(0, prompt.Sounds);
        Assert.DoesNotContain(Mini.Special.Audio.Id, prompt.Encode(Mini));
    }

    /// <summary>Expected texts: the released examples of Audio Flamingo 2 and of its chain-of-thought model, in lower case.</summary>
    [Fact]
    public void Audio_Flamingo_2_is_asked_plainly_and_its_options_have_letters()
    {
        string Of(TaskPrompt task) => PromptFormat.Af2.Ask(task).ToText(Mini.Special);
        Assert.Equal("<audio>is it raining?<SEP>", Of(TaskPrompts.Question(" Is it raining?\n")));
        Assert.Equal("<audio>is this a public space?\n(a) yes. (b) no.<SEP>", Of(TaskPrompts.YesOrNo("Is this a public space?")));
        var choice = TaskPrompts.Choose("Identify the source of the church bells.", ["Church", " School ", "Clock Tower", "Fire Station"]);
        const string Chosen = "<audio>identify the source of the church bells. choose the correct option from the following options:"
            + "\n(a) church\n(b) school\n(c) clock tower\n(d) fire station";
        Assert.Equal(Chosen + "<SEP>", Of(choice));
        Assert.Equal("<audio>classify this sound. choose the correct option from the following options:\n(a) bus\n(b) dog<SEP>", Of(TaskPrompts.Classify(["dog", "bus"])));
        const string Tags = " output the answer with <summary>, <caption>, <reasoning>, and <conclusion> tags.<SEP>";
        string Thinking(TaskPrompt task) => PromptFormat.Af2.AskToThink(task).ToText(Mini.Special);
        Assert.Equal(Chosen + "." + Tags, Thinking(choice));
        Assert.Equal("<audio>is this a public space?\n(a) yes. (b) no." + Tags, Thinking(TaskPrompts.YesOrNo("Is this a public space?")));
        Assert.Equal("<audio>is it raining?" + Tags, Thinking(TaskPrompts.Question("Is it raining?")));
    }

    [Fact]
    public void Options_are_spelled_in_the_form_of_Audio_Flamingo_1_too_and_checked() => Assert.Multiple(
        () => Assert.Equal("Please answer this question: Where?\nOPTIONS:\nHere.\nThere.", TaskPrompts.Choose("Where?", ["Here", "There"]).Prompt),
        () => Assert.Equal("The list of options is empty; give at least one.", Assert.Throws<FlamingoException>(() => TaskPrompts.Choose("Where?", [])).Message),
        () => Assert.Equal("Option 2 of 2 is empty; remove it or name it.", Assert.Throws<FlamingoException>(() => TaskPrompts.Choose("Where?", ["a", " "])).Message),
        () => Assert.Equal("The option 'A' occurs twice; give each option once.", Assert.Throws<FlamingoException>(() => TaskPrompts.Choose("Where?", ["a", "A"])).Message));

    [Theory]
    [InlineData(0, "A")]
    [InlineData(25, "Z")]
    [InlineData(26, "AA")]
    [InlineData(701, "ZZ")]
    [InlineData(702, "AAA")]
    public void Letters_go_on_after_Z(int index, string letters) => Assert.Equal(letters, TaskPrompts.LetterOf(index));

    [Fact]
    public void Examples_come_before_the_question_each_with_its_sound()
    {
        var prompt = PromptFormat.Af1Inference.FewShot(
            ShotChoice.Similar, "The task is scene classification.", [new("Classify this sound.", "Park"), new("Classify this sound.", "bus")], "Classify this sound.");
        Assert.Equal(
            "</s>Here are similar examples. The task is scene classification. "
            + "<audio>classify this sound.\nanswer:<SEP>park<|endofchunk|><audio>classify this sound.\nanswer:<SEP>bus<|endofchunk|>"
            + "<audio>classify this sound.\nanswer:<SEP>",
            prompt.ToText(Mini.Special));
        Assert.Equal(3, prompt.Sounds);
    }

    [Fact]
    public void Examples_without_a_prefix_leave_one_space() => Assert.StartsWith(
        "</s>Here are random examples. <audio>",
        PromptFormat.Af1Inference.FewShot(ShotChoice.Random, "", [new("a", "b")], "c").ToText(Mini.Special), StringComparison.Ordinal);

    [Fact]
    public void Examples_where_there_is_no_form_for_them_are_refused()
    {
        Assert.Equal("A few-shot prompt needs at least one example; ask a single question instead.",
            Assert.Throws<FlamingoException>(() => PromptFormat.Af1Inference.FewShot(ShotChoice.Similar, "", [], "c")).Message);
        Assert.Equal("The prompt format af2 has no form for examples; ask without them.",
            Assert.Throws<FlamingoException>(() => PromptFormat.Af2.FewShot(ShotChoice.Similar, "", [new("a", "b")], "c")).Message);
    }

    [Fact]
    public void A_dialogue_about_two_sounds_names_both_places() => Assert.Equal(
        "</s>the task is dialog.<audio><audio>user: Which is louder? \nassistant: <SEP>The first.<|endofchunk|></s>\nuser: Why? \nassistant: <SEP>",
        DialogueFormat.Af1Inference.Render([new("Which is louder?", "The first."), new("Why?")], sounds: 2).ToText(Mini.Special));

    [Fact]
    public void A_dialogue_with_a_gap_is_refused()
    {
        Assert.Equal("Turn 1 of 2 has no answer; only the last may lack one.",
            Assert.Throws<FlamingoException>(() => DialogueFormat.Af1Inference.Render([new("a"), new("b")])).Message);
        Assert.Equal("The dialogue has no turn; say something first.",
            Assert.Throws<FlamingoException>(() => DialogueFormat.Af1Inference.Render([])).Message);
    }

    [Fact]
    public void A_prompt_longer_than_the_context_is_refused_with_both_numbers()
    {
        var prompt = PromptFormat.Af1Inference.Ask(TaskPrompts.Caption);
        int length = prompt.Encode(Mini).Count;
        Assert.Equal(length, prompt.EncodeFor(Mini, length).Count);
        var e = Assert.Throws<FlamingoException>(() => prompt.EncodeFor(Mini, 10));
        Assert.Equal((FlamingoErrorKind.Usage,
            $"The prompt has {length} tokens but this model has room for 10. Shorten the question, or give fewer labels, examples or turns."), (e.Kind, e.Message));
    }

    [Fact]
    public void A_format_with_a_beginning_token_is_refused_by_a_tokenizer_without_one()
    {
        var special = Mini.Special with { Bos = null };
        Assert.Throws<FlamingoException>(() => PromptFormat.Af1Inference.Ask(TaskPrompts.Caption).ToText(special));
        Assert.Equal("<audio>describe the sound in a sentence.<SEP>", PromptFormat.Af2.Ask(TaskPrompts.Caption).ToText(special));
    }

    [Theory, Trait("Category", "Tokenizers"), MemberData(nameof(Sets))]
    public void Ids_made_from_parts_equal_those_of_the_whole_text(string set)
    {
        var tokenizer = TokenizerSets.Load(set);
        var texts = TokenizerSets.Expected(set).Select(e => e.Text)
            .Where(t => !tokenizer.Added.Any(a => t.Contains(a.Content, StringComparison.OrdinalIgnoreCase))).ToList();
        Assert.NotEmpty(texts);
        var formats = PromptFormat.All.Where(f => tokenizer.Special.Bos is not null || f == PromptFormat.Af2);
        foreach (string text in texts)
        {
            var prompts = formats.SelectMany(f => new[]
            {
                f.Ask("The task is x.", text), f.Ask("", text, text), f.Ask("p", text, sounds: 0), f.Ask("p", text, sounds: 3),
            });
            if (tokenizer.Special.Bos is not null)
            {
                prompts = prompts.Append(PromptFormat.Af1Training.FewShot(ShotChoice.Random, "p", [new(text, text)], text, text))
                    .Append(DialogueFormat.Af1Training.Render([new(text, text), new(text)]));
            }
            Assert.All(prompts, p => Assert.Equal(tokenizer.EncodeWithSpecialTokens(p.ToText(tokenizer.Special)), p.Encode(tokenizer)));
        }
    }

    public static TheoryData<string> Sets => [.. TokenizerSets.Names];

    [Theory]
    [InlineData("a dog", "a dog")]
    [InlineData("x<SEP>a dog<|endofchunk|></s><pad>", "a dog")]
    [InlineData("x<SEP>no<|endofchunk|><audio>y<SEP> yes <|endofchunk|></s>", " yes ")]
    [InlineData("x<SEP>", "")]
    [InlineData("x<SEP>a<|endofchunk|>b</s>", "ab")]
    public void The_answer_is_what_follows_the_last_separator(string sequence, string answer) =>
        Assert.Equal(answer, Mini.DecodeAnswer([.. Mini.EncodeWithSpecialTokens(sequence).Skip(1)]));
}
