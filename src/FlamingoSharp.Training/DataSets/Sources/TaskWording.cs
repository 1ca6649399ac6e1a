using FlamingoSharp.Text;
using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.DataSets.Sources;

/// <summary>How the tasks of a data set are asked: the forms of <see cref="TaskPrompts"/>, so that the command line asks later as it was trained.</summary>
internal static class TaskWording
{
    /// <summary>Longest list of options in a prompt, in characters: more would leave no room for the answer in a text of 512 tokens.</summary>
    public const int OptionsLimit = 1000;

    /// <summary>What a list of classes is asked for with.</summary>
    public const string Classify = "Classify this sound.";

    /// <summary>A classification task; the prompt lists its labels unless they are too many.</summary>
    public static DataSetTask Classification(string name, IEnumerable<string> labels, string question = Classify) =>
        new(name, TaskKind.Classification) { Question = question, Labels = [.. labels.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)] };

    /// <summary>The prompt of a classification task.</summary>
    /// <exception cref="FlamingoException">Two labels are the same to the model, which reads lower case.</exception>
    public static string PromptOf(DataSetTask task)
    {
        string prompt = TaskPrompts.Classify(task.Labels, task.Question).Prompt;
        return prompt.Length <= OptionsLimit + task.Question.Length ? prompt : task.Question;
    }

    /// <summary>An example of one label out of a task's list.</summary>
    public static Example Labelled(DataSetTask task, string prompt, string path, string label) =>
        new() { Name = path, Prompt = prompt, Output = label, Choices = task.Labels, Labels = [label] };

    /// <summary>An example with a caption, and all captions of its recording.</summary>
    public static Example Captioned(string path, string caption, IReadOnlyList<string>? all = null, string? prompt = null) =>
        new() { Name = path, Prompt = prompt ?? TaskPrompts.Caption.Prompt, Output = caption, References = all ?? [caption] };

    /// <summary>An example with several labels.</summary>
    public static Example Tagged(string path, IReadOnlyList<string> labels, string? prompt = null) =>
        new() { Name = path, Prompt = prompt ?? TaskPrompts.Tags.Prompt, Output = string.Join(", ", labels), Labels = labels };

    /// <summary>An example of a question; with choices, or yes or no, it lists them.</summary>
    public static Example Asked(string path, string question, string answer, IReadOnlyList<string> choices, string type = "")
    {
        bool yesNo = choices.Count == 0 && answer.Trim().ToLowerInvariant() is "yes" or "no";
        var task = choices.Count > 0 ? TaskPrompts.Choose(question, choices) : yesNo ? TaskPrompts.YesOrNo(question) : TaskPrompts.Question(question);
        return new() { Name = path, Prompt = task.Prompt, Output = answer, Choices = yesNo ? ["yes", "no"] : choices, References = [answer], Type = type };
    }

    /// <summary>A name of folders and files as a label: <c>dog_bark</c> is "dog bark".</summary>
    public static string LabelOf(string name) => name.Replace('_', ' ').Trim();
}
