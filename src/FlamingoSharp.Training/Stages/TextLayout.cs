using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Data;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Stages;

/// <summary>Turns texts into the tensors of a batch, and answers of a model into a score.</summary>
/// <remarks>Shapes: b texts, t tokens, v vocabulary.</remarks>
internal sealed class TextLayout(Tokenizer tokenizer, int maxTokens)
{
    private readonly LabelMask _labels = LabelMask.For(tokenizer.Special);

    /// <summary>The tokens of a training text, cut off on the right at the limit.</summary>
    public long[] Encode(Prompt prompt) => [.. prompt.Encode(tokenizer).Take(maxTokens).Select(id => (long)id)];

    /// <summary>Ids, mask and labels of a batch, padded on the right.</summary>
    public (Tensor Ids, Tensor Attend, Tensor Labels) Lay(IReadOnlyList<long[]> texts)
    {
        int length = texts.Max(t => t.Length);
        long[] ids = new long[texts.Count * length], labels = new long[ids.Length];
        bool[] attend = new bool[ids.Length];
        Array.Fill(ids, tokenizer.Special.Pad.Id);
        for (int i = 0; i < texts.Count; i++)
        {
            texts[i].CopyTo(ids, i * length);
            _labels.Apply(ids[(i * length)..((i + 1) * length)]).CopyTo(labels, i * length);
            for (int t = 0; t < length; t++)
                attend[i * length + t] = ids[i * length + t] != tokenizer.Special.Pad.Id;
        }
        return (tensor(ids, [texts.Count, length]), tensor(attend, [texts.Count, length]), tensor(labels, [texts.Count, length]));
    }

    /// <summary>True if a batch has a token that is learnt; the first position has nothing before it.</summary>
    public static bool AnyScored(Tensor labels)
    {
        using var scope = NewDisposeScope();
        return labels.narrow(1, 1, labels.shape[1] - 1).cpu().contiguous().data<long>().Any(l => l != LanguageLoss.Ignored);
    }

    /// <summary>Texts of which the likeliest token is right at every learnt place.</summary>
    /// <param name="logits">[b, t, v]</param> <param name="labels">[b, t]</param>
    public static int CountRight(Tensor logits, Tensor labels)
    {
        using var scope = NewDisposeScope();
        long t = labels.shape[1];
        var wanted = labels.narrow(1, 1, t - 1).to(logits.device);                // [b, t-1]
        var given = logits.narrow(1, 0, t - 1).argmax(-1);                        // [b, t-1]
        return (int)given.eq(wanted).logical_or(wanted.IsNot(LanguageLoss.Ignored).logical_not()).all(1).sum().item<long>();
    }
}
