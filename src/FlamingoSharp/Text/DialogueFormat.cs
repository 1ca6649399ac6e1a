namespace FlamingoSharp.Text;

/// <summary>One turn of a dialogue.</summary>
/// <param name="User">What the user says.</param>
/// <param name="Assistant">What the model answered; null where it is to answer now.</param>
public sealed record DialogueRound(string User, string? Assistant = null);

/// <summary>The exact wording of a dialogue about a sound, as data. Audio Flamingo 1 only; texts keep their case.</summary>
/// <remarks>Slots: <c>{bos} {eos} {sep} {end} {sound}</c> are structure, <c>{prefix} {user} {assistant}</c> are text.</remarks>
public sealed record DialogueFormat
{
    /// <summary>The prefix of every dialogue that the model was trained on.</summary>
    public const string DefaultPrefix = "The task is dialog.";

    /// <summary>What the format is called in reports.</summary>
    public required string Name { get; init; }

    /// <summary>Before the first turn.</summary>
    public string Opening { get; init; } = "{bos}{prefix}{sound}";

    /// <summary>What the user says, up to where the answer begins.</summary>
    public string User { get; init; } = "user: {user} \nassistant: {sep}";

    /// <summary>An answer.</summary>
    public string Assistant { get; init; } = "{assistant}{end}{eos}\n";

    /// <summary>What happens to the prefix.</summary>
    public TextForm PrefixForm { get; init; }

    /// <summary>Training of the chat model: a space between prefix and sound.</summary>
    public static DialogueFormat Af1Training { get; } = new() { Name = "af1-dialogue-training", PrefixForm = TextForm.ThenSpace };

    /// <summary>Released inference of the chat model: the prefix in lower case, no space after it.</summary>
    public static DialogueFormat Af1Inference { get; } = new() { Name = "af1-dialogue-inference", PrefixForm = TextForm.Lower };

    /// <summary>The dialogues of a model whose questions have a form: one that was trained here has read the training's, a released one those of its release.</summary>
    /// <param name="questions">How the model is asked.</param>
    /// <returns>Null for a model that answers single questions only, as Audio Flamingo 2 does.</returns>
    public static DialogueFormat? For(PromptFormat questions) =>
        questions == PromptFormat.Af2 ? null : questions == PromptFormat.Af1Training ? Af1Training : Af1Inference;

    /// <summary>Spells a dialogue; the model is to answer if the last turn has no answer yet.</summary>
    /// <param name="rounds">The turns so far.</param>
    /// <param name="prefix">Which task it is.</param>
    /// <param name="sounds">Sounds that the dialogue is about; 0 for one of text alone.</param>
    /// <exception cref="FlamingoException">There is no turn, or one before the last has no answer.</exception>
    public Prompt Render(IReadOnlyList<DialogueRound> rounds, string prefix = DefaultPrefix, int sounds = 1)
    {
        if (rounds.Count == 0)
            throw new FlamingoException(FlamingoErrorKind.Usage, "The dialogue has no turn; say something first.");
        for (int i = 0; i < rounds.Count - 1; i++)
        {
            if (rounds[i].Assistant is null)
                throw new FlamingoException(FlamingoErrorKind.Usage, $"Turn {i + 1} of {rounds.Count} has no answer; only the last may lack one.");
        }
        return new Prompt(PromptTemplate.Fill(Opening, sounds, ("prefix", PrefixForm.Apply(prefix))).Concat(rounds.SelectMany(Turn)));
    }

    private IEnumerable<PromptPart> Turn(DialogueRound round)
    {
        var said = PromptTemplate.Fill(User, 0, ("user", round.User));
        return round.Assistant is null ? said : said.Concat(PromptTemplate.Fill(Assistant, 0, ("assistant", round.Assistant)));
    }
}
