namespace FlamingoSharp.Text;

/// <summary>A token that only the structure of a prompt produces, never a text.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Text">Its spelling, as shown in prompts.</param>
public readonly record struct SpecialToken(int Id, string Text);

/// <summary>The tokens that give an Audio Flamingo prompt its structure.</summary>
/// <remarks>
/// Audio Flamingo 1 begins and ends with OPT's <c>&lt;/s&gt;</c> and pads with <c>&lt;pad&gt;</c>; Audio Flamingo 2 has no beginning, ends with
/// Qwen's <c>&lt;|endoftext|&gt;</c> and pads with <c>&lt;|PAD_TOKEN|&gt;</c>.
/// </remarks>
public sealed record SpecialTokens
{
    /// <summary>Begins a text; null where the model has no such token.</summary>
    public SpecialToken? Bos { get; init; }

    /// <summary>Ends a text.</summary>
    public required SpecialToken Eos { get; init; }

    /// <summary>Fills the shorter rows of a batch.</summary>
    public required SpecialToken Pad { get; init; }

    /// <summary>Stands where a sound is heard: <c>&lt;audio&gt;</c>.</summary>
    public required SpecialToken Audio { get; init; }

    /// <summary>Ends the answer about one sound: <c>&lt;|endofchunk|&gt;</c>.</summary>
    public required SpecialToken EndOfChunk { get; init; }

    /// <summary>Stands between question and answer: <c>&lt;SEP&gt;</c>.</summary>
    public required SpecialToken Separator { get; init; }

    /// <summary>Finds the tokens of a tokenizer by their names.</summary>
    internal static SpecialTokens Of(TokenizerFile file)
    {
        SpecialToken? Find(string text) => file.Added.FirstOrDefault(t => t.Content == text) is { } found ? new SpecialToken(found.Id, text) : null;
        SpecialToken Need(params string[] names) => names.Select(Find).FirstOrDefault(t => t is not null)
            ?? throw new FlamingoException(FlamingoErrorKind.Model, $"The tokenizer has no token {string.Join(" or ", names)}.");
        return new SpecialTokens
        {
            Bos = file.Prefix.Count > 0 ? Find(file.Prefix[0]) : null,
            Eos = Need("</s>", "<|endoftext|>"),
            Pad = Need("<|PAD_TOKEN|>", "<pad>"),
            Audio = Need("<audio>"),
            EndOfChunk = Need("<|endofchunk|>"),
            Separator = Need("<SEP>"),
        };
    }
}
