namespace FlamingoSharp.Text;

/// <summary>An example shown before the question.</summary>
/// <param name="Prompt">What was asked about its sound.</param>
/// <param name="Answer">The right answer.</param>
public sealed record Shot(string Prompt, string Answer);

/// <summary>How the examples of a few-shot prompt were chosen; the model is told.</summary>
public enum ShotChoice
{
    /// <summary>By the likeness of their sounds to the one in question.</summary>
    Similar,

    /// <summary>At random.</summary>
    Random,
}

/// <summary>
/// The exact wording around a question about a sound, as data: which model, which stage. Templates differ between stages in spaces
/// and case, and a model answers best in the form it was trained or released with.
/// </summary>
/// <remarks>Slots: <c>{bos} {eos} {sep} {end} {sound}</c> are structure, <c>{prefix} {prompt} {answer} {choice}</c> are text.</remarks>
public sealed record PromptFormat
{
    /// <summary>What the format is called in reports.</summary>
    public required string Name { get; init; }

    /// <summary>Before a single question.</summary>
    public string Opening { get; init; } = "";

    /// <summary>Before the examples of a few-shot prompt.</summary>
    public string FewShotOpening { get; init; } = "";

    /// <summary>A question, up to where the answer begins.</summary>
    public string Question { get; init; } = "{sound}{prompt}{sep}";

    /// <summary>An answer.</summary>
    public string Answer { get; init; } = "{answer}{end}";

    /// <summary>After the last answer.</summary>
    public string Closing { get; init; } = "{eos}";

    /// <summary>What happens to the prefix of a single question.</summary>
    public TextForm PrefixForm { get; init; }

    /// <summary>What happens to the prefix of a few-shot prompt.</summary>
    public TextForm FewShotPrefixForm { get; init; }

    /// <summary>What happens to questions and answers.</summary>
    public TextForm TextForm { get; init; } = TextForm.Strip | TextForm.Lower;

    /// <summary>Questions are asked without Audio Flamingo 1's introductions, their options with letters (<see cref="TaskPrompt.Plain"/>).</summary>
    public bool PlainQuestions { get; init; }

    /// <summary>Asks for the reasoning in tags, after the question; empty where no model of this form was trained to give it.</summary>
    public string ThinkRequest { get; init; } = "";

    /// <summary>Audio Flamingo 1, foundation training. Texts are lower-cased before they are augmented, and not again.</summary>
    public static PromptFormat Af1Training { get; } = new()
    {
        Name = "af1-training",
        Opening = "{bos}{prefix}",
        FewShotOpening = "{bos}Here are {choice} examples. {prefix}",
        TextForm = TextForm.Strip,
    };

    /// <summary>Audio Flamingo 1, foundation validation and test: all lower case, no space after a single question's prefix.</summary>
    public static PromptFormat Af1Validation { get; } = Af1Training with
    {
        Name = "af1-validation",
        PrefixForm = TextForm.Strip | TextForm.Lower,
        TextForm = TextForm.Strip | TextForm.Lower,
    };

    /// <summary>
    /// Audio Flamingo 1, released inference: lower case, a space after the prefix, and the suffix <c>answer:</c> is part of the template.
    /// The release has no few-shot form; here it is that of validation.
    /// </summary>
    public static PromptFormat Af1Inference { get; } = Af1Validation with
    {
        Name = "af1-inference",
        Opening = "{bos}{prefix} ",
        Question = "{sound}{prompt}\nanswer:{sep}",
        FewShotPrefixForm = TextForm.Strip | TextForm.ThenSpace,
    };

    /// <summary>Audio Flamingo 2, training and inference: no beginning token, no prefix; the chain-of-thought model answers in tags.</summary>
    public static PromptFormat Af2 { get; } = new()
    {
        Name = "af2",
        PlainQuestions = true,
        ThinkRequest = "Output the answer with <SUMMARY>, <CAPTION>, <REASONING>, and <CONCLUSION> tags.",
    };

    /// <summary>Every format, for listings.</summary>
    public static IReadOnlyList<PromptFormat> All { get; } = [Af1Training, Af1Validation, Af1Inference, Af2];

    /// <summary>One question.</summary>
    /// <param name="prefix">Which task it is, such as "The task is audio captioning."; may be empty.</param>
    /// <param name="prompt">The question.</param>
    /// <param name="answer">The right answer, for training; null leaves the answer to the model.</param>
    /// <param name="sounds">Sounds that the question is about; 0 for a prompt of text alone.</param>
    public Prompt Ask(string prefix, string prompt, string? answer = null, int sounds = 1) => new(
        PromptTemplate.Fill(Opening, 0, ("prefix", PrefixForm.Apply(prefix))).Concat(Spell(prompt, answer, sounds)).Concat(Close(answer)));

    /// <summary>One question of a task.</summary>
    /// <param name="task">Prefix and question.</param>
    /// <param name="sounds">Sounds that the question is about; 0 for a prompt of text alone.</param>
    public Prompt Ask(TaskPrompt task, int sounds = 1) => Ask(task.Prefix, WordsOf(task), sounds: sounds);

    /// <summary>One question of a task, to be answered with the reasoning that leads to the answer (<see cref="Thought"/>).</summary>
    /// <param name="task">Prefix and question.</param>
    /// <param name="sounds">Sounds that the question is about; 0 for a prompt of text alone.</param>
    /// <exception cref="FlamingoException">The format has no form for that.</exception>
    public Prompt AskToThink(TaskPrompt task, int sounds = 1)
    {
        if (ThinkRequest.Length == 0)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"The prompt format {Name} has no form for reasoning; ask without it, or use a chain-of-thought model of Audio Flamingo 2.");
        }
        string words = TextForms.Strip(WordsOf(task));
        string stop = words is [.., '.' or '?' or '!' or ':'] ? "" : ".";
        return Ask(task.Prefix, $"{words}{stop} {ThinkRequest}", sounds: sounds);
    }

    /// <summary>A question after examples, each with its own sound; the sounds are given in the same order, the question's last.</summary>
    /// <param name="choice">How the examples were chosen.</param>
    /// <param name="prefix">Which task it is; may be empty.</param>
    /// <param name="shots">The examples.</param>
    /// <param name="prompt">The question.</param>
    /// <param name="answer">The right answer, for training; null leaves the answer to the model.</param>
    /// <exception cref="FlamingoException">There is no example, or the format has no few-shot form.</exception>
    public Prompt FewShot(ShotChoice choice, string prefix, IReadOnlyList<Shot> shots, string prompt, string? answer = null)
    {
        if (FewShotOpening.Length == 0)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"The prompt format {Name} has no form for examples; ask without them.");
        if (shots.Count == 0)
            throw new FlamingoException(FlamingoErrorKind.Usage, "A few-shot prompt needs at least one example; ask a single question instead.");
        string chosen = choice == ShotChoice.Similar ? "similar" : "random";
        return new Prompt(PromptTemplate.Fill(FewShotOpening, 0, ("choice", chosen), ("prefix", FewShotPrefixForm.Apply(prefix)))
            .Concat(shots.SelectMany(s => Spell(s.Prompt, s.Answer, 1)))
            .Concat(Spell(prompt, answer, 1))
            .Concat(Close(answer)));
    }

    /// <summary>The answers of a task as a model of this form writes them.</summary>
    internal IReadOnlyList<string> AnswersTo(TaskPrompt task) => PlainQuestions ? task.PlainAnswers : task.Answers;

    /// <summary>The ids of an answer behind its question, up to where the model stops.</summary>
    internal IReadOnlyList<int> EncodeAnswer(string answer, Tokenizer tokenizer) =>
        [.. Prompt.EncodeParts(PromptTemplate.Fill(Answer, 0, ("answer", TextForm.Apply(answer))), tokenizer)];

    /// <summary>One question of a task after examples of the same task; without any, the question alone.</summary>
    /// <param name="choice">How the examples were chosen.</param> <param name="task">Prefix and question; a list of labels stands once, at the last.</param>
    /// <param name="answers">The answers of the examples, in order.</param>
    /// <exception cref="FlamingoException">The format has no few-shot form.</exception>
    public Prompt FewShot(ShotChoice choice, TaskPrompt task, IReadOnlyList<string> answers) => answers.Count == 0
        ? Ask(task)
        : FewShot(choice, task.Prefix, [.. answers.Select(a => new Shot(task.Bare ?? WordsOf(task), a))], WordsOf(task));

    private string WordsOf(TaskPrompt task) => PlainQuestions && task.Plain is { } plain ? plain : task.Prompt;

    private IEnumerable<PromptPart> Spell(string prompt, string? answer, int sounds)
    {
        var parts = PromptTemplate.Fill(Question, sounds, ("prompt", TextForm.Apply(prompt)));
        return answer is null ? parts : parts.Concat(PromptTemplate.Fill(Answer, 0, ("answer", TextForm.Apply(answer))));
    }

    private IEnumerable<PromptPart> Close(string? answer) => answer is null ? [] : PromptTemplate.Fill(Closing, 0);
}
