using FlamingoSharp.Runtime;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>How well sounds and texts of a batch find each other: cross entropy over the batch, both ways.</summary>
/// <remarks>
/// Shapes: n pairs, d dimensions. The negatives of a pair are the other pairs of its micro-batch; accumulation adds none.<br/>
/// Source: InfoNCE (arXiv 1807.03748) as CLIP (arXiv 2103.00020) and CLAP (arXiv 2211.06687) have it; several texts may be right for a
/// sound, and then share its target (supervised contrastive learning, arXiv 2004.11362).
/// </remarks>
internal static class ContrastiveLoss
{
    /// <summary>The largest natural logarithm that the scale may reach; a scale of 100 (CLIP §2.5).</summary>
    public static readonly double LargestLogScale = Math.Log(100);

    /// <param name="sounds">Unit vectors, [n, d].</param> <param name="texts">Unit vectors, [n, d].</param>
    /// <param name="logScale">Natural logarithm of the factor between similarities and logits, [].</param>
    /// <param name="fits">float [n, n]: 1 where text j is right for sound i, which it is for i = j.</param>
    /// <returns>[]</returns>
    public static Tensor Of(Tensor sounds, Tensor texts, Tensor logScale, Tensor fits)
    {
        using var scope = NewDisposeScope();
        var logits = sounds.matmul(texts.t()).mul(logScale.exp());              // [n, n]
        return CrossEntropy(logits, fits).Plus(CrossEntropy(logits.t(), fits.t())).Times(0.5).MoveToOuterDisposeScope();
    }

    private static Tensor CrossEntropy(Tensor logits, Tensor fits) =>
        -(fits / fits.sum(1, keepdim: true) * nn.functional.log_softmax(logits, 1)).sum(1).mean();
}
