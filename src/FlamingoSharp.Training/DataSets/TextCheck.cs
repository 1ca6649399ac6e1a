using FlamingoSharp.Text;
using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.DataSets;

/// <summary>Looks for texts that cannot be learnt or scored.</summary>
internal sealed class TextCheck(ValidateDataSetOptions options)
{
    /// <summary>The faults of a manifest's texts.</summary>
    public IEnumerable<DataFault> Faults(OpenedManifest manifest)
    {
        var composer = new SampleComposer([new() { Name = $"{manifest.Manifest.Task}/train", Augmentation = new() { PrefixProbability = 1 } }]);
        foreach (var (key, item) in manifest.Manifest.Items)
        {
            // Shots are checked where they stand; their lengths count together.
            if (!manifest.HasShots)
            {
                foreach (var fault in Faults(manifest, item.Examples[^1]))
                    yield return fault with { Item = key };
            }
            if (options.Tokenizer is { } tokenizer && composer.Training(item, new NumpyGenerator(0)).Encode(tokenizer, int.MaxValue).Length is var tokens && tokens > options.MaxTokens)
                yield return new(DataFaultKind.TooLong, manifest.Name, key, $"The text has {tokens} tokens; beyond {options.MaxTokens} it is cut off, and its answer is not learnt.", IsError: false);
        }
    }

    private static IEnumerable<DataFault> Faults(OpenedManifest manifest, Example example)
    {
        DataFault Error(DataFaultKind kind, string message) => new(kind, manifest.Name, null, message, IsError: true);

        if (example.Dialogue.Count > 0)
        {
            if (example.Dialogue.Any(r => TextForms.Strip(r.User).Length == 0 || TextForms.Strip(r.Assistant ?? "").Length == 0))
                yield return Error(DataFaultKind.EmptyText, "A turn of the dialogue is empty.");
            yield break;
        }
        if (TextForms.Strip(example.Output).Length == 0)
        {
            yield return Error(DataFaultKind.EmptyText, "The answer ('output') is empty.");
            yield break;
        }
        if (TextForms.Strip(example.Prompt).Length == 0)
            yield return new(DataFaultKind.EmptyText, manifest.Name, null, "The question ('prompt') is empty.", IsError: false);
        if (example.Choices.Count > 0 && !Holds(example.Choices, example.Output))
            yield return Error(DataFaultKind.AnswerNotAmongChoices, $"The answer '{example.Output}' is none of the choices {Few(example.Choices)}.");
        if (manifest.Task is { Kind: TaskKind.Classification, Labels.Count: > 0 } task && !Holds(task.Labels, example.Output))
            yield return Error(DataFaultKind.UnknownLabel, $"The answer '{example.Output}' is none of the labels {Few(task.Labels)}.");
        if (manifest.Task is { Kind: TaskKind.Tagging, Labels.Count: > 0 } tags && example.Labels.FirstOrDefault(l => !Holds(tags.Labels, l)) is { } unknown)
            yield return Error(DataFaultKind.UnknownLabel, $"The label '{unknown}' is none of the task's {tags.Labels.Count} labels.");
    }

    // As the model reads them.
    private static bool Holds(IReadOnlyList<string> texts, string text) => texts.Any(t => Form(t) == Form(text));

    private static string Form(string text) => TextForms.Lower(TextForms.Strip(text)).TrimEnd('.');

    private static string Few(IReadOnlyList<string> texts) =>
        string.Join(", ", texts.Take(6)) + (texts.Count > 6 ? $" and {texts.Count - 6} more" : "");
}
