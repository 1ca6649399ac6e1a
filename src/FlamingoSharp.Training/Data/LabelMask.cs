using FlamingoSharp.Text;

namespace FlamingoSharp.Training.Data;

/// <summary>Which tokens of a sequence are learnt: the answers, and every end token.</summary>
/// <remarks>
/// Source: the reference's training step. An answer runs from after <c>&lt;SEP&gt;</c> to <c>&lt;|endofchunk|&gt;</c>. Every end token is scored,
/// even in a prompt, except at the first positions, which hold the beginning. An answer that the length limit cut off is not learnt at all.
/// </remarks>
public sealed record LabelMask
{
    /// <summary>The label of a token that is not learnt.</summary>
    public const long Ignored = -100;

    /// <summary>Id of the end token; in Audio Flamingo 1 also that of the beginning.</summary>
    public required long Eos { get; init; }

    /// <summary>Id of the padding token.</summary>
    public required long Pad { get; init; }

    /// <summary>Id of <c>&lt;audio&gt;</c>.</summary>
    public required long Audio { get; init; }

    /// <summary>Id of <c>&lt;|endofchunk|&gt;</c>.</summary>
    public required long EndOfChunk { get; init; }

    /// <summary>Id of <c>&lt;SEP&gt;</c>.</summary>
    public required long Separator { get; init; }

    /// <summary>Positions at the start that are never learnt: 2 in Audio Flamingo 1 (two beginnings), 1 in Audio Flamingo 2.</summary>
    public int Leading { get; init; } = 2;

    /// <summary>The rule of a tokenizer's model: two leading positions where it has a beginning token, else one.</summary>
    public static LabelMask For(SpecialTokens special) => new()
    {
        Eos = special.Eos.Id,
        Pad = special.Pad.Id,
        Audio = special.Audio.Id,
        EndOfChunk = special.EndOfChunk.Id,
        Separator = special.Separator.Id,
        Leading = special.Bos is null ? 1 : 2,
    };

    /// <summary>Labels of a batch, right-padded to one length.</summary>
    /// <param name="ids">[rows][tokens]</param>
    /// <returns>[rows][tokens], not shifted: the label of a position is its own token or <see cref="Ignored"/>.</returns>
    public long[][] Apply(IReadOnlyList<long[]> ids) => [.. ids.Select(Apply)];

    /// <summary>Labels of one row.</summary>
    public long[] Apply(long[] ids)
    {
        long[] labels = [.. ids];
        bool masked = true;
        for (int i = 0; i < labels.Length; i++)
        {
            long label = i < Leading || ids[i] == Pad || ids[i] == Audio ? Ignored : ids[i];
            labels[i] = masked && label != Eos ? Ignored : label;
            if (label == Separator)
                masked = false;
            else if (label == EndOfChunk)
                masked = true;
        }

        // Still inside an answer at the end of the row: it was cut off.
        if (labels.Length > 0 && !EndsAnswer(labels[^1]))
        {
            for (int i = labels.Length - 1; i >= 0 && !EndsAnswer(labels[i]); i--)
                labels[i] = Ignored;
        }
        return labels;
    }

    private bool EndsAnswer(long label) => label == Ignored || label == Eos || label == EndOfChunk;
}
