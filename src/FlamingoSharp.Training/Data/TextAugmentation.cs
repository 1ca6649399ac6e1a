using System.Globalization;
using FlamingoSharp.Text;

namespace FlamingoSharp.Training.Data;

/// <summary>A text as the model is taught it.</summary>
/// <param name="Prefix">Which task it is, or nothing.</param>
/// <param name="Prompt">The question, ending with <c>\nAnswer:</c>.</param>
/// <param name="Output">The right answer.</param>
internal sealed record AugmentedText(string Prefix, string Prompt, string Output)
{
    /// <summary>What every prompt ends with.</summary>
    public const string Suffix = "\nAnswer:";

    /// <summary>The text for a form that has a suffix of its own, or none.</summary>
    public AugmentedText WithoutSuffix() => this with { Prompt = Prompt.EndsWith(Suffix, StringComparison.Ordinal) ? Prompt[..^Suffix.Length] : Prompt };
}

/// <summary>Words the question and answer of an example in one of the ways that its data set allows.</summary>
/// <remarks>Source: the augmentation of Audio Flamingo 1's foundation data.</remarks>
internal static class TextAugmentation
{
    /// <summary>Words an example for training; every draw is from <paramref name="random"/>.</summary>
    /// <param name="example">The example as its manifest has it.</param>
    /// <param name="task">Its task and split: <c>Dataset-Task/train</c>.</param>
    /// <param name="options">The wordings to draw from.</param>
    /// <param name="random">Draws the wording, then the prefix.</param>
    /// <param name="isShot">Shots of a few-shot text list no options.</param>
    public static AugmentedText ForTraining(Example example, string task, AugmentationOptions options, NumpyGenerator random, bool isShot)
    {
        string wording = Draw(options, random);
        string prefix = Prefix(task, options, random);
        return Word(prefix, TextForms.Lower(example.Prompt), TextForms.Lower(example.Output), task, wording, random, isShot);
    }

    /// <summary>Words an example for validation; the wording follows from the example itself, so that it is the same every time.</summary>
    /// <param name="example">The example as its manifest has it.</param>
    /// <param name="task">Its task and split: <c>Dataset-Task/val</c>, or <c>/train</c> where the wordings are those of training.</param>
    /// <param name="options">The wordings to draw from.</param>
    /// <param name="random">Draws the prefix.</param>
    /// <param name="isShot">Shots of a few-shot text list no options.</param>
    public static AugmentedText ForValidation(Example example, string task, AugmentationOptions options, NumpyGenerator random, bool isShot)
    {
        string prompt = TextForms.Lower(example.Prompt), output = TextForms.Lower(example.Output);
        ulong seed = NumpyGenerator.SeedOf(example.Name + prompt + output + task);
        string wording = Draw(options, new NumpyGenerator(seed));
        return Word(Prefix(task, options, random), prompt, output, task, wording, new NumpyGenerator(seed), isShot);
    }

    private static string Draw(AugmentationOptions options, NumpyGenerator random) =>
        random.Choice([.. options.Wordings.Select(w => w.Key)], [.. options.Wordings.Select(w => w.Value)]);

    private static string Prefix(string task, AugmentationOptions options, NumpyGenerator random) =>
        random.NextDouble() > options.PrefixProbability ? "" : TaskPrefix.Of(task);

    private static AugmentedText Word(string prefix, string prompt, string output, string task, string wording, NumpyGenerator shuffling, bool isShot)
    {
        if (isShot && wording == "provide_all_labels")
            wording = "default";
        output = TextForms.Strip(output);
        if (wording != "do_nothing")
        {
            var table = Wordings.Table;
            if (table.QuestionPrefixes.Any(p => task.StartsWith(p, StringComparison.Ordinal)))
                prompt = Question(prompt, output, wording);
            if (task.Contains("AudioCaptioning", StringComparison.Ordinal))
                (prompt, output) = Caption(prompt, output, task, wording);
            prompt = SingleLabel(prompt, task, wording);
            if (Wordings.Find(table.MultiLabel, task) is { } multiple)
                (prompt, output) = MultiLabel(multiple, output, wording, shuffling, isShot);
            if (wording == "default" && Wordings.Find(table.FixedQuestions, task) is { } fixedQuestion)
                (prompt, output) = (fixedQuestion.Question!, fixedQuestion.Task == "mtg-jamendo-MusicTagging" ? output.Replace(';', '.') : output);
        }
        return new AugmentedText(prefix, prompt + AugmentedText.Suffix, output);
    }

    private static string Question(string prompt, string output, string wording)
    {
        bool yesOrNo = wording == "AQA_binary_instruction" && output.Split(',').All(o => TextForms.Strip(o) is "yes" or "no");
        if (yesOrNo || prompt.StartsWith("question:", StringComparison.Ordinal))
            prompt = prompt.Replace("question:", "please answer this question:", StringComparison.Ordinal);
        return yesOrNo ? prompt + "\nOPTIONS:\nyes.\nno." : prompt;
    }

    private static (string Prompt, string Output) Caption(string prompt, string output, string task, string wording)
    {
        prompt = Wordings.Table.Captions.GetValueOrDefault(wording, prompt);
        if (wording == "AC_paragraph")
        {
            // As the reference has it, also where there is no full stop: then the text is repeated without its last letter.
            int last = output.LastIndexOf('.');
            output = output.Replace('.', ';');
            output = last < 0 ? $"{output[..^Math.Min(1, output.Length)]}.{output}" : $"{output[..last]}.{output[(last + 1)..]}";
        }
        if (task.Contains("MusicCaps", StringComparison.Ordinal))
            prompt = prompt.Replace("sound", "music", StringComparison.Ordinal);
        return (prompt, output);
    }

    private static string SingleLabel(string prompt, string task, string wording)
    {
        var table = Wordings.Table;
        var entry = Wordings.Find(table.SingleLabel, task);
        if ((entry is null && !task.Contains("GenreClassification", StringComparison.Ordinal)) || wording is not ("default" or "provide_all_labels"))
            return prompt;

        var rule = table.SingleLabelQuestions.LastOrDefault(r => task.Contains(r.Contains, StringComparison.Ordinal));
        prompt = entry?.Question ?? rule?.Question ?? prompt;
        if (wording != "provide_all_labels" || entry?.Labels is null)
            return prompt;
        bool emotions = task.Contains("EmotionClassification", StringComparison.Ordinal);
        var labels = entry.List.Select(l => emotions ? table.Emotions.GetValueOrDefault(l, l) : l).Order(StringComparer.Ordinal);
        return $"{prompt}\nOPTIONS:{string.Concat(labels.Select(l => $"\n - {l}."))}";
    }

    private static (string Prompt, string Output) MultiLabel(Wordings.Entry entry, string output, string wording, NumpyGenerator shuffling, bool isShot)
    {
        string prompt = Wordings.Table.MultiLabelQuestion;
        if (output.EndsWith('.'))
            output = output[..^1];
        if (wording == "num_words")
        {
            string[] labels = output.Split(", ");
            prompt = string.Create(CultureInfo.InvariantCulture, $"Describe the sound in {labels.Length} {(labels.Length == 1 ? "label" : "labels")}.");
            shuffling.Shuffle(labels);
            output = string.Join(", ", labels);
        }
        if (!isShot && entry.Labels is not null)
            prompt += $" All labels are: {entry.Labels}.";
        return (prompt, output);
    }
}
