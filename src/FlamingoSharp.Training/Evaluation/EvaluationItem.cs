using FlamingoSharp.Text;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>A stretch of a sound file.</summary>
/// <param name="Path">The file.</param>
/// <param name="Start">Where it begins, in seconds.</param>
/// <param name="Duration">How long it is, in seconds; null for all that follows.</param>
internal readonly record struct HeardPart(string Path, double Start, double? Duration);

/// <summary>An example that is shown before the question.</summary>
/// <param name="Sound">Its sound.</param> <param name="Text">What was asked about it, and the right answer.</param>
internal sealed record ShownExample(HeardPart Sound, Shot Text);

/// <summary>One question of an evaluation, with everything that its score needs.</summary>
internal sealed record EvaluationItem
{
    /// <summary>Manifest, key and variant: what journals know it by. Items of one id are one question, though they may stand in several rows.</summary>
    public required string Id { get; init; }

    /// <summary>The data set and its task, <c>Dataset-Task</c>.</summary>
    public required string Task { get; init; }

    /// <summary>The type of question within the task; empty where it has one only.</summary>
    public string Type { get; init; } = "";

    /// <summary>What kind of answer is wanted.</summary>
    public required AnswerKind Kind { get; init; }

    /// <summary>What is heard.</summary>
    public required HeardPart Sound { get; init; }

    /// <summary>What is asked.</summary>
    public required TaskPrompt Prompt { get; init; }

    /// <summary>The turns before and the one to be answered, of a dialogue.</summary>
    public IReadOnlyList<DialogueRound> Rounds { get; init; } = [];

    /// <summary>What the turns after the first are about, of a dialogue that goes on from the model's own answer.</summary>
    public DialoguePlan? Plan { get; init; }

    /// <summary>Examples that are shown before.</summary>
    public IReadOnlyList<ShownExample> Shots { get; init; } = [];

    /// <summary>How they were chosen.</summary>
    public ShotChoice Choice { get; init; }

    /// <summary>The answers to choose from, in the order in which the prompt lists them; none where the answer is free.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>The right answers, at least one; of labels each one.</summary>
    public required IReadOnlyList<string> Expected { get; init; }

    /// <summary>What is heard, in words; <c>speaker:NAME</c> says who speaks.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Who speaks, where that is known.</summary>
    public string? Speaker => Labels.FirstOrDefault(l => l.StartsWith(SpeakerLabel, StringComparison.Ordinal))?[SpeakerLabel.Length..];

    private const string SpeakerLabel = "speaker:";

    /// <summary>Every sound that the prompt refers to, that of the question last.</summary>
    public IEnumerable<HeardPart> Sounds => Shots.Select(s => s.Sound).Append(Sound);

    /// <summary>The prompt in a model's form.</summary>
    public Prompt PromptFor(PromptFormat format) => Rounds.Count > 0
        ? (DialogueFormat.For(format) ?? DialogueFormat.Af1Inference).Render(Rounds)
        : Shots.Count > 0
            ? format.FewShot(Choice, Prompt.Prefix, [.. Shots.Select(s => s.Text)], Prompt.Prompt)
            : format.Ask(Prompt);
}

/// <summary>Items that are scored together.</summary>
/// <param name="Name">What the report calls them.</param>
/// <param name="Kind">What kind of answer they want.</param>
/// <param name="Items">In the order of the manifest.</param>
internal sealed record EvaluationRow(string Name, AnswerKind Kind, IReadOnlyList<EvaluationItem> Items)
{
    /// <summary>The row of a paper's table that this is; null where it is none.</summary>
    public EvaluationPreset? Preset { get; init; }
}
