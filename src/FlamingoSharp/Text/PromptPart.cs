namespace FlamingoSharp.Text;

/// <summary>A piece of a prompt: text, a place where a sound is heard, or a structural token.</summary>
public abstract record PromptPart;

/// <summary>Plain text; whatever it spells, it stays text.</summary>
/// <param name="Text">The characters.</param>
public sealed record TextPart(string Text) : PromptPart;

/// <summary>The place of the next sound, in the order in which the sounds are given to the model.</summary>
public sealed record SoundPart : PromptPart;

/// <summary>A token of the prompt's structure.</summary>
/// <param name="Role">Which one.</param>
public sealed record TokenPart(TokenRole Role) : PromptPart;

/// <summary>What a structural token does.</summary>
public enum TokenRole
{
    /// <summary>Begins the text.</summary>
    Bos,

    /// <summary>Ends the text.</summary>
    Eos,

    /// <summary>Separates question and answer.</summary>
    Separator,

    /// <summary>Ends an answer.</summary>
    EndOfChunk,
}
