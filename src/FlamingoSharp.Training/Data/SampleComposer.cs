using FlamingoSharp.Text;

namespace FlamingoSharp.Training.Data;

/// <summary>A training text with the recordings it refers to.</summary>
/// <param name="Sounds">Recordings below the data root with the second at which each begins, in the order of the prompt's sounds.</param>
/// <param name="Prompt">The whole text, answers included.</param>
public sealed record TrainingSample(IReadOnlyList<(string Name, double Start)> Sounds, Prompt Prompt)
{
    /// <summary>How much of each recording is meant, in seconds; null for all that the model hears.</summary>
    public IReadOnlyList<double?> Durations { get; init; } = [];

    /// <summary>The ids, cut off on the right at a length: a long few-shot text may lose its answer, which is then not learnt.</summary>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="maxTokens">512 in training, five times as many in validation.</param>
    public long[] Encode(Tokenizer tokenizer, int maxTokens = SampleComposer.MaxTokens) =>
        [.. Prompt.Encode(tokenizer).Take(maxTokens).Select(id => (long)id)];
}

/// <summary>Makes the texts that a model is taught and tested with from the items of manifests.</summary>
public sealed class SampleComposer
{
    /// <summary>Tokens of a training text.</summary>
    public const int MaxTokens = 512;

    /// <summary>Tokens of a validation text.</summary>
    public const int ValidationMaxTokens = 5 * MaxTokens;

    private readonly Dictionary<string, BlendEntry> _entries;
    private readonly PromptFormat? _form;

    /// <summary>Starts a composer.</summary>
    /// <param name="entries">The data sets of the training, with their wordings.</param>
    /// <param name="form">
    /// The form of every text, for models that are asked in it or that are not Audio Flamingo 1; it brings its own suffix to questions. Null takes
    /// those of Audio Flamingo 1's training and validation.
    /// </param>
    public SampleComposer(IReadOnlyList<BlendEntry> entries, PromptFormat? form = null) =>
        (_entries, _form) = (entries.ToDictionary(e => e.Name, StringComparer.Ordinal), form);

    /// <summary>The text of an item in training.</summary>
    /// <param name="item">An item of a virtual epoch; its wordings are those of its data set's own training entry, also where it has shots.</param>
    /// <param name="random">Draws wordings and prefixes.</param>
    /// <exception cref="FlamingoException">The item's data set has no training entry.</exception>
    public TrainingSample Training(DatasetItem item, NumpyGenerator random)
    {
        if (item.Examples[^1].Dialogue is { Count: > 0 } dialogue)
            return Sample(item, (_form is null ? DialogueFormat.Af1Training : DialogueFormat.Af1Inference).Render(dialogue));
        if (_form is { PlainQuestions: true } plain)
            return Plain(item, plain);
        string task = item.Task + "/train";
        var options = Entry(task).Augmentation;
        return Compose(item, PromptFormat.Af1Training, (example, isShot) => TextAugmentation.ForTraining(example, task, options, random, isShot));
    }

    /// <summary>The text of an item in validation or test.</summary>
    /// <param name="item">The item.</param>
    /// <param name="split"><c>val</c> or <c>test</c>.</param>
    /// <param name="options">The wordings; null takes those of the data set's training, only the one that lists all labels if it is among them.</param>
    /// <param name="random">Draws the prefix where its probability is below 1.</param>
    /// <exception cref="FlamingoException">The training's wordings were asked for but the data set has no training entry.</exception>
    public TrainingSample Validation(DatasetItem item, string split, AugmentationOptions? options, NumpyGenerator random)
    {
        if (item.Examples[^1].Dialogue is { Count: > 0 } dialogue)
            return Sample(item, (_form is null ? DialogueFormat.Af1Training : DialogueFormat.Af1Inference).Render(dialogue));
        if (_form is { PlainQuestions: true } plain)
            return Plain(item, plain);
        string task = $"{item.Task}/{split}";
        if (options is null)
        {
            task = Trained(task);
            var training = Entry(task).Augmentation.Wordings;
            const string All = "provide_all_labels";
            options = new AugmentationOptions
            {
                Wordings = training.Any(w => w.Key == All) ? [KeyValuePair.Create(All, 1.0)] : training,
                PrefixProbability = 1,
            };
        }
        return Compose(item, PromptFormat.Af1Validation, (example, isShot) => TextAugmentation.ForValidation(example, task, options, random, isShot));
    }

    // Audio Flamingo 2 takes questions as they stand.
    private static TrainingSample Plain(DatasetItem item, PromptFormat format) =>
        Spell(item, format, [.. item.Examples.Select(e => new AugmentedText("", e.Prompt, e.Output))]);

    private TrainingSample Compose(DatasetItem item, PromptFormat reference, Func<Example, bool, AugmentedText> augment)
    {
        AugmentedText[] texts = [.. item.Examples.Select((e, i) => augment(e, i < item.Examples.Count - 1))];
        return Spell(item, _form ?? reference, _form is null ? texts : [.. texts.Select(t => t.WithoutSuffix())]);
    }

    private static TrainingSample Spell(DatasetItem item, PromptFormat format, AugmentedText[] texts)
    {
        var asked = texts[^1];
        return Sample(item, item.Choice is { } choice
            ? format.FewShot(choice, texts[0].Prefix, [.. texts[..^1].Select(t => new Shot(t.Prompt, t.Output))], asked.Prompt, asked.Output)
            : format.Ask(asked.Prefix, asked.Prompt, asked.Output));
    }

    private static TrainingSample Sample(DatasetItem item, Prompt prompt) =>
        new([.. item.Examples.Select(e => (e.Name, e.AudioStart))], prompt) { Durations = [.. item.Examples.Select(e => e.AudioDuration)] };

    private BlendEntry Entry(string task) => _entries.TryGetValue(task, out var entry) ? entry : throw new FlamingoException(FlamingoErrorKind.Usage,
        $"The training has no data set '{task}', whose wordings are needed; add it, or give the wordings of the validation set.");

    private static string Trained(string task) => task
        .Replace("/val", "/train", StringComparison.Ordinal).Replace("/test", "/train", StringComparison.Ordinal)
        .Replace("-val", "-train", StringComparison.Ordinal).Replace("-test", "-train", StringComparison.Ordinal);
}
