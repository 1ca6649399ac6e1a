namespace FlamingoSharp.Training.Sounds;

/// <summary>One thing to learn: what is asked about a sound, and what the model should say.</summary>
/// <param name="Id">The sound.</param>
/// <param name="Task">The task as the prefix names it: <c>The task is {Task}.</c></param>
/// <param name="Type">What the answer shows: caption, labels, presence, or the type of a written question (count, order, language …).</param>
/// <param name="Prompt">The instruction, with its options and answer suffix where it has them.</param>
/// <param name="Answer">The text to learn.</param>
public sealed record TrainingText(string Id, string Task, string Type, string Prompt, string Answer)
{
    /// <summary>The answers to choose from, in the order of the prompt; empty where it lists none.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Equal in everything; the choices stand in the prompt.</summary>
    public bool Equals(TrainingText? other) =>
        other is not null && (Id, Task, Type, Prompt, Answer) == (other.Id, other.Task, other.Type, other.Prompt, other.Answer);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Id, Task, Type, Prompt, Answer);
}

/// <summary>How training texts are worded and mixed.</summary>
public sealed record TrainingTextOptions
{
    /// <summary>Share of texts that are sentences describing the sound.</summary>
    public double CaptionShare { get; init; } = 0.32;

    /// <summary>Share of yes/no questions whether something is heard; half of them are answered no.</summary>
    public double PresenceShare { get; init; } = 0.18;

    /// <summary>
    /// Of those, the share that is written in the catalogue. These are answered yes as often as the thing is heard, mostly no for what is rare; the rest is
    /// answered yes as often as no, whatever is asked about.
    /// </summary>
    public double WrittenPresence { get; init; }

    /// <summary>Share of written questions (what, which, how many, in which order).</summary>
    public double QuestionShare { get; init; } = 0.40;

    /// <summary>Share of label lists.</summary>
    public double LabelShare { get; init; } = 0.10;

    /// <summary>Of the questions with choices, the share asked with them; the rest is asked openly.</summary>
    public double WithOptions { get; init; } = 0.6;

    /// <summary>Of the questions with choices, the share whose wrong choices are drawn anew instead of those written.</summary>
    public double NewChoices { get; init; } = 0.5;

    /// <summary>Of the captions, the share asked for in the wording of Audio Flamingo; the rest is spread over other wordings.</summary>
    public double PlainCaptionPrompt { get; init; } = 0.6;

    /// <summary>
    /// True keeps the spoken words in captions and asks for them; false says only that someone speaks, and in which language,
    /// which is as much as a small model without speech recognition can tell.
    /// </summary>
    public bool SpokenWords { get; init; }

    /// <summary>Put before the choices.</summary>
    public string OptionsHeader { get; init; } = "\nOPTIONS:\n";

    /// <summary>Put at the end of every prompt; empty where the template adds its own.</summary>
    public string AnswerSuffix { get; init; } = "\nAnswer:";

    /// <summary>
    /// True lower-cases header and suffix too, which is what the model meets at inference (it lower-cases the whole prompt);
    /// false keeps the capitals of Audio Flamingo's own training.
    /// </summary>
    public bool LowerCaseAll { get; init; } = true;

    /// <summary>How sounds are drawn.</summary>
    public SamplingOptions Sampling { get; init; } = new();
}
