using static TorchSharp.torch;

namespace FlamingoSharp.Models;

/// <summary>How far a model's next-token scores are from the text.</summary>
internal static class LanguageLoss
{
    /// <summary>Label of a token that is not scored.</summary>
    public const long Ignored = -100;

    /// <summary>Shifted cross entropy: the scores at position i against the token at i + 1, mean over scored tokens; NaN if there is none.</summary>
    /// <param name="logits">[b, t, v]</param> <param name="labels">[b, t], <see cref="Ignored"/> where a token is not scored.</param>
    public static Tensor Of(Tensor logits, Tensor labels)
    {
        using var scope = NewDisposeScope();
        long t = logits.shape[1];
        return nn.functional.cross_entropy(
            logits.narrow(1, 0, t - 1).reshape(-1, logits.shape[2]).to_type(ScalarType.Float32),
            labels.narrow(1, 1, t - 1).reshape(-1),
            ignore_index: Ignored).MoveToOuterDisposeScope();
    }
}
