using System.Globalization;

namespace FlamingoSharp.Text;

/// <summary>What to ask of the model, before a <see cref="PromptFormat"/> puts it into the model's own form.</summary>
/// <param name="Prefix">Which task it is.</param>
/// <param name="Prompt">The question, with its options.</param>
public sealed record TaskPrompt(string Prefix, string Prompt)
{
    /// <summary>The question as Audio Flamingo 2 is asked it (<see cref="PromptFormat.PlainQuestions"/>); null where the words are the same.</summary>
    public string? Plain { get; init; }

    /// <summary>The answers to choose from, in the order of the question's list, whether it shows that list or not; empty for a free question.</summary>
    public IReadOnlyList<string> Answers { get; init; } = [];

    /// <summary>The same answers as <see cref="Plain"/> wants them: with their letters, where it has them.</summary>
    internal IReadOnlyList<string> PlainAnswers { get; init; } = [];

    /// <summary>The question where it is asked of an example: without the list of labels, which stands once, at the last; null where the words are the same.</summary>
    public string? Bare { get; init; }
}

/// <summary>
/// The recommended wording of each task: the prefixes and questions that Audio Flamingo 1 was trained with, and where it differs the
/// wording of Audio Flamingo 2's release. Another wording may well change the answer. Formats without a prefix leave it out.
/// </summary>
public static class TaskPrompts
{
    /// <summary>A caption of one sentence.</summary>
    public static TaskPrompt Caption { get; } = new("The task is audio captioning.", "Describe the sound in a sentence.");

    /// <summary>A caption with more detail.</summary>
    public static TaskPrompt LongCaption { get; } = Caption with { Prompt = "Describe the sound at length." };

    /// <summary>A caption of several sentences.</summary>
    public static TaskPrompt ParagraphCaption { get; } = Caption with { Prompt = "Describe the sound in a paragraph." };

    /// <summary>A caption of a piece of music.</summary>
    public static TaskPrompt MusicCaption { get; } = new("The task is music captioning.", "Describe the music in a paragraph.");

    /// <summary>Labels of everything heard, in the model's own words.</summary>
    public static TaskPrompt Tags { get; } = new("The task is event classification.", "Use a few labels to describe this sound.");

    /// <summary>The fixed tasks by name, for listings and help.</summary>
    public static IReadOnlyDictionary<string, TaskPrompt> Named { get; } = new Dictionary<string, TaskPrompt>
    {
        ["caption"] = Caption,
        ["caption-long"] = LongCaption,
        ["caption-paragraph"] = ParagraphCaption,
        ["caption-music"] = MusicCaption,
        ["tags"] = Tags,
    };

    /// <summary>A free question.</summary>
    /// <exception cref="FlamingoException">The question is empty.</exception>
    public static TaskPrompt Question(string question)
    {
        if (string.IsNullOrWhiteSpace(question))
            throw new FlamingoException(FlamingoErrorKind.Usage, "The question is empty; ask something about the sound.");
        string stripped = TextForms.Strip(question);
        return new("The task is audio question answering.", $"Please answer this question: {stripped}") { Plain = stripped };
    }

    /// <summary>A question to be answered with yes or no.</summary>
    /// <param name="question">What is asked.</param> <param name="listed">False leaves the two answers out of the prompt.</param>
    /// <exception cref="FlamingoException">The question is empty.</exception>
    public static TaskPrompt YesOrNo(string question, bool listed = true)
    {
        var task = Question(question).WithAnswers(["yes", "no"], listed);
        return listed ? task with { Prompt = task.Prompt + "\nOPTIONS:\nyes.\nno.", Plain = task.Plain + "\n(A) yes. (B) no." } : task;
    }

    /// <summary>A question with the answers to choose from, in the order given: <c>(A) …</c>, <c>(B) …</c> for Audio Flamingo 2.</summary>
    /// <param name="question">What is asked.</param>
    /// <param name="options">Each may occur once.</param>
    /// <param name="listed">False leaves the options out of the prompt.</param>
    /// <exception cref="FlamingoException">The question is empty; there is no option, one is empty, or one occurs twice.</exception>
    public static TaskPrompt Choose(string question, IReadOnlyList<string> options, bool listed = true)
    {
        var answers = Checked(options, "option");
        var task = Question(question).WithAnswers(answers, listed);
        return !listed ? task : task with
        {
            Prompt = $"{task.Prompt}\nOPTIONS:{string.Concat(answers.Select(a => $"\n{a}."))}",
            Plain = Lettered(task.Plain!, task),
        };
    }

    /// <summary>Which one of some labels fits. The labels are put in alphabetic order, as in training.</summary>
    /// <param name="labels">Lower case is usual; each may occur once.</param>
    /// <param name="question">What the labels answer, e.g. "What is the genre of this music?".</param>
    /// <param name="task">The task named in the prefix, e.g. "genre classification".</param>
    /// <param name="listed">False leaves the labels out of the prompt.</param>
    /// <exception cref="FlamingoException">There is no label, one is empty, or one occurs twice.</exception>
    public static TaskPrompt Classify(
        IReadOnlyList<string> labels, string question = "Classify this sound.", string task = "event classification", bool listed = true)
    {
        var options = Checked(labels).Order(StringComparer.Ordinal).ToList();
        var plain = new TaskPrompt($"The task is {task}.", question).WithAnswers(options, listed);
        return !listed ? plain : plain with
        {
            Prompt = $"{question}\nOPTIONS:{string.Concat(options.Select(l => $"\n - {l}."))}",
            Plain = Lettered(question, plain),
            Bare = question,
        };
    }

    /// <summary>Which one of the classes fits that a model was fine-tuned on (<see cref="Models.FlamingoConfig.Labels"/>): the wording of that training.</summary>
    /// <param name="labels">The model's.</param> <param name="listed">False leaves the labels out of the prompt.</param>
    public static TaskPrompt ClassifyTuned(IReadOnlyList<string> labels, bool listed = true) => Classify(labels, task: "sound classification", listed: listed);

    /// <summary>Which of some labels fit, any number of them. The labels keep their order, as in training.</summary>
    /// <param name="labels">Lower case is usual; each may occur once. Null leaves the wording of labels to the model.</param>
    /// <param name="count">How many labels to answer with; null leaves that to the model.</param>
    /// <exception cref="FlamingoException">A given list is empty, a label is empty or occurs twice, or <paramref name="count"/> is not positive.</exception>
    public static TaskPrompt MultiLabel(IReadOnlyList<string>? labels = null, int? count = null)
    {
        if (count <= 0)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"{count} labels were asked for; ask for at least one.");
        string prompt = count is { } n
            ? string.Create(CultureInfo.InvariantCulture, $"Describe the sound in {n} {(n == 1 ? "label" : "labels")}.")
            : Tags.Prompt;
        return Tags with { Prompt = labels is null ? prompt : $"{prompt} All labels are: {string.Join(", ", Checked(labels))}." };
    }

    /// <summary>The letters before option <paramref name="index"/>, from 0: A to Z, then AA.</summary>
    public static string LetterOf(int index) => (index < 26 ? "" : LetterOf((index / 26) - 1)) + (char)('A' + (index % 26));

    // Source: the release's examples for its chain-of-thought model.
    private static string Lettered(string question, TaskPrompt task) =>
        $"{question} Choose the correct option from the following options:{string.Concat(task.PlainAnswers.Select(a => $"\n{a}"))}";

    private static TaskPrompt WithAnswers(this TaskPrompt task, IReadOnlyList<string> answers, bool listed) => task with
    {
        Answers = answers,
        PlainAnswers = listed ? [.. answers.Select((a, i) => $"({LetterOf(i)}) {a}")] : answers,
    };

    /// <summary>Labels without outer white space.</summary>
    /// <exception cref="FlamingoException">There is none, one is empty, or one occurs twice.</exception>
    internal static List<string> Checked(IReadOnlyList<string> labels, string name = "label")
    {
        if (labels.Count == 0)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"The list of {name}s is empty; give at least one.");
        var stripped = labels.Select(TextForms.Strip).ToList();
        var seen = new HashSet<string>(StringComparer.Ordinal); // compared as the model reads them, in lower case
        for (int i = 0; i < stripped.Count; i++)
        {
            if (stripped[i].Length == 0)
                throw new FlamingoException(FlamingoErrorKind.Usage, $"{char.ToUpperInvariant(name[0])}{name[1..]} {i + 1} of {stripped.Count} is empty; remove it or name it.");
            if (!seen.Add(TextForms.Lower(stripped[i])))
                throw new FlamingoException(FlamingoErrorKind.Usage, $"The {name} '{stripped[i]}' occurs twice; give each {name} once.");
        }
        return stripped;
    }
}
