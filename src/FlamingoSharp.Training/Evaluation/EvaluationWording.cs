using FlamingoSharp.Text;
using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>How an example is asked in an evaluation: in the one plain wording of its kind, which reports show.</summary>
/// <remarks>Source: the validation wordings of Audio Flamingo 1; letters before options for formats with plain questions, as in Audio Flamingo 2.</remarks>
internal static class EvaluationWording
{
    private const string Options = "\nOPTIONS:", Suffix = "\nAnswer:";

    private static readonly string[] s_introductions = ["please answer this question:", "question:"];

    /// <summary>The kind of an example that its data set says nothing of.</summary>
    public static AnswerKind KindOf(string task, Example example)
    {
        if (example.Dialogue.Count > 0)
            return AnswerKind.Dialogue;
        if (example.Type == "caption" || task.Contains("Captioning", StringComparison.Ordinal))
            return AnswerKind.Caption;
        if (example.Type is "labels" or "tags" || task.EndsWith("Tagging", StringComparison.Ordinal) || Wordings.Find(Wordings.Table.MultiLabel, task) is not null)
            return AnswerKind.Labels;
        if (IsYesOrNo(example))
            return AnswerKind.YesNo;
        if (LabelsOf(task).Count > 0 || task.EndsWith("Classification", StringComparison.Ordinal))
            return AnswerKind.Label;
        return example.Choices.Count > 0 ? AnswerKind.Choice : AnswerKind.Free;
    }

    /// <summary>The labels that a task of the paper's is answered with; none where it has no fixed list.</summary>
    public static IReadOnlyList<string> LabelsOf(string task) => [.. Wordings.Find(Wordings.Table.SingleLabel, task)?.List.Select(Spoken) ?? []];

    /// <summary>The label that a data set's own name of an emotion stands for; any other text as it is.</summary>
    public static string Spoken(string label) => Wordings.Table.Emotions.GetValueOrDefault(label, label);

    /// <summary>What is asked.</summary>
    /// <param name="kind">What kind of answer is wanted.</param> <param name="task"><c>Dataset-Task</c>.</param>
    /// <param name="prompt">The prompt as the manifest has it.</param> <param name="choices">The answers to choose from.</param>
    /// <param name="asWritten">True where the manifest's prompts are whole, options included.</param>
    public static TaskPrompt Of(AnswerKind kind, string task, string prompt, IReadOnlyList<string> choices, bool asWritten)
    {
        string prefix = TaskPrefix.Of(task).Trim();
        string question = QuestionOf(prompt);
        var wording = kind switch
        {
            AnswerKind.Caption => TaskPrompts.Caption with { Prompt = CaptionPrompt(task, question) },
            AnswerKind.YesNo => TaskPrompts.YesOrNo(question),
            AnswerKind.Choice => TaskPrompts.Choose(question, choices),
            AnswerKind.Label => TaskPrompts.Classify(choices, LabelQuestion(task, question)),
            AnswerKind.Labels => TaskPrompts.Tags with { Prompt = LabelsQuestion(task) },
            AnswerKind.Free => TaskPrompts.Question(question),
            _ => new TaskPrompt(DialogueFormat.DefaultPrefix, ""),
        };
        return wording with { Prefix = prefix, Prompt = asWritten ? Bare(prompt, Suffix) : wording.Prompt };
    }

    /// <summary>What was asked about an example that is shown: the same without the options.</summary>
    public static string OfShot(AnswerKind kind, string task, string prompt, bool asWritten)
    {
        string question = QuestionOf(prompt);
        return asWritten ? Bare(prompt, Suffix) : kind switch
        {
            AnswerKind.Caption => CaptionPrompt(task, question),
            AnswerKind.Label => LabelQuestion(task, question),
            AnswerKind.Labels => LabelsQuestion(task),
            _ => TaskPrompts.Question(question).Prompt,
        };
    }

    /// <summary>The question alone: without its introduction, its options and the suffix.</summary>
    public static string QuestionOf(string prompt)
    {
        string text = prompt.Trim();
        int options = text.IndexOf(Options, StringComparison.OrdinalIgnoreCase);
        text = Bare(options < 0 ? text : text[..options], Suffix).Trim();
        string? introduction = s_introductions.FirstOrDefault(i => text.StartsWith(i, StringComparison.OrdinalIgnoreCase));
        return introduction is null ? text : text[introduction.Length..].Trim();
    }

    private static string Bare(string text, string suffix) => text.EndsWith(suffix, StringComparison.OrdinalIgnoreCase) ? text[..^suffix.Length] : text;

    private static bool IsYesOrNo(Example example) => example.Choices.Count > 0
        ? example.Choices.Count == 2 && example.Choices.All(c => c.Trim().ToLowerInvariant() is "yes" or "no")
        : example.Output.Trim().TrimEnd('.').ToLowerInvariant() is "yes" or "no";

    private static string CaptionPrompt(string task, string question)
    {
        if (question.StartsWith("describe", StringComparison.OrdinalIgnoreCase))
            return question;
        return task.Contains("MusicCaps", StringComparison.OrdinalIgnoreCase) ? TaskPrompts.MusicCaption.Prompt : TaskPrompts.Caption.Prompt;
    }

    private static string LabelQuestion(string task, string question)
    {
        var table = Wordings.Table;
        return Wordings.Find(table.SingleLabel, task)?.Question
            ?? table.SingleLabelQuestions.LastOrDefault(r => task.Contains(r.Contains, StringComparison.Ordinal))?.Question
            ?? (question.Length > 0 ? question : "Classify this sound.");
    }

    private static string LabelsQuestion(string task) =>
        Wordings.Find(Wordings.Table.FixedQuestions, task)?.Question ?? TaskPrompts.Tags.Prompt;
}
