namespace FlamingoSharp.Text;

/// <summary>What the model is given to read, as parts: its structure is known, so that no text of a user can be taken for structure.</summary>
public sealed class Prompt
{
    /// <summary>Joins parts to a prompt; neighbouring texts become one, since words may run across them.</summary>
    /// <param name="parts">In reading order; a prompt without a <see cref="SoundPart"/> is legal.</param>
    public Prompt(params IEnumerable<PromptPart> parts)
    {
        var joined = new List<PromptPart>();
        foreach (var part in parts)
        {
            if (part is TextPart { Text: "" })
                continue;
            if (part is TextPart next && joined is [.., TextPart last])
                joined[^1] = new TextPart(last.Text + next.Text);
            else
                joined.Add(part);
        }
        Parts = joined;
        Sounds = joined.Count(p => p is SoundPart);
    }

    /// <summary>The parts in reading order.</summary>
    public IReadOnlyList<PromptPart> Parts { get; }

    /// <summary>How many sounds the prompt refers to; 0 for a prompt of text alone.</summary>
    public int Sounds { get; }

    /// <summary>The prompt spelled out, as it would stand in a template.</summary>
    public string ToText(SpecialTokens special) =>
        string.Concat(Parts.Select(p => p is TextPart text ? text.Text : TokenOf(p, special).Text));

    /// <summary>Exactly what the model sees, tokens that the tokenizer puts in front included.</summary>
    public string Show(Tokenizer tokenizer) => tokenizer.Decode(tokenizer.Prefix) + ToText(tokenizer.Special);

    /// <summary>The ids that the model sees: those of <see cref="Tokenizer.Prefix"/>, then those of the parts.</summary>
    public IReadOnlyList<int> Encode(Tokenizer tokenizer) => [.. tokenizer.Prefix, .. EncodeParts(Parts, tokenizer)];

    /// <summary>As <see cref="Encode"/>, for a model that reads at most <paramref name="limit"/> tokens.</summary>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="limit">Tokens that the prompt may have: the model's context less the tokens to generate.</param>
    /// <exception cref="FlamingoException">The prompt is longer.</exception>
    public IReadOnlyList<int> EncodeFor(Tokenizer tokenizer, int limit)
    {
        var ids = Encode(tokenizer);
        return ids.Count <= limit ? ids : throw new FlamingoException(FlamingoErrorKind.Usage,
            $"The prompt has {ids.Count} tokens but this model has room for {limit}. Shorten the question, or give fewer labels, examples or turns.");
    }

    /// <summary>The ids of parts alone.</summary>
    internal static IEnumerable<int> EncodeParts(IEnumerable<PromptPart> parts, Tokenizer tokenizer) =>
        parts.SelectMany(p => p is TextPart text ? tokenizer.Encode(text.Text) : [TokenOf(p, tokenizer.Special).Id]);

    private static SpecialToken TokenOf(PromptPart part, SpecialTokens special) => part switch
    {
        SoundPart => special.Audio,
        TokenPart { Role: TokenRole.Bos } => special.Bos
            ?? throw new FlamingoException(FlamingoErrorKind.Model,
                "The prompt starts with a beginning token, but this tokenizer has none; use the prompt format of its own model."),
        TokenPart { Role: TokenRole.Eos } => special.Eos,
        TokenPart { Role: TokenRole.Separator } => special.Separator,
        TokenPart { Role: TokenRole.EndOfChunk } => special.EndOfChunk,
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "A prompt part of an unknown kind."),
    };
}
