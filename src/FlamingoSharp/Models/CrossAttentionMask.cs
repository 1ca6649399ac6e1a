using FlamingoSharp.Runtime;
using static TorchSharp.torch;

namespace FlamingoSharp.Models;

/// <summary>Which sounds each text token may see.</summary>
/// <remarks>
/// Shapes: b batch, t new text tokens, l audio vectors seen by cross-attention, k sounds in a prompt, W audio vectors a sound.
/// </remarks>
internal static class CrossAttentionMask
{
    /// <summary>
    /// The interleaved few-shot rule: text before the second sound sees the first sound, later text sees every sound up to and
    /// including the latest. Source: Audio Flamingo §3 (arXiv 2402.01831) and its released mask.
    /// </summary>
    /// <param name="soundPositions">For each row of the batch, the rising positions of its sound tokens.</param>
    /// <param name="firstRow">Position of the first of the <paramref name="rows"/> tokens in the text.</param>
    /// <param name="rows">Number of new tokens, t.</param>
    /// <param name="vectorsPerSound">Audio vectors of one sound slot, W.</param>
    /// <param name="columns">All audio vectors, l.</param>
    /// <returns>[b, t, l], true where a token may look.</returns>
    /// <exception cref="FlamingoException">A row has no sound token.</exception>
    public static Tensor FewShot(IReadOnlyList<long[]> soundPositions, long firstRow, long rows, long vectorsPerSound, long columns)
    {
        bool[] visible = new bool[soundPositions.Count * rows * columns];
        for (int b = 0; b < soundPositions.Count; b++)
        {
            long[] sounds = soundPositions[b];
            if (sounds.Length == 0)
                throw new FlamingoException(FlamingoErrorKind.Usage, $"Row {b} has audio but its prompt has no sound token; the few-shot mask needs one for each sound.");
            for (long t = 0; t < rows; t++)
            {
                // With one sound every row sees it, also rows before its token.
                int heard = Math.Max(1, sounds.Count(p => p <= firstRow + t));
                long end = Math.Min(heard * vectorsPerSound, columns);
                visible.AsSpan((int)((b * rows + t) * columns), (int)end).Fill(true);
            }
        }
        return tensor(visible, [soundPositions.Count, rows, columns]);
    }

    /// <summary>
    /// Turns permission into scores to be added before the softmax: 0 where allowed, the most negative finite value where not.
    /// A row that may see nothing thus becomes uniform over all columns, as in the reference, and never NaN.
    /// </summary>
    /// <param name="visible">[b, t, l] or [b, 1, l], boolean.</param>
    /// <param name="type">Element type of the scores.</param>
    /// <returns>[b, 1, t, l] (a head axis is added).</returns>
    public static Tensor ToScores(Tensor visible, ScalarType type)
    {
        using var scope = NewDisposeScope();
        double lowest = type == ScalarType.BFloat16 ? -3.3895313892515355e38 : type == ScalarType.Float16 ? -65504 : -float.MaxValue;
        var scores = zeros(visible.shape, type, visible.device).FilledWhere(visible.logical_not(), lowest);
        return scores.unsqueeze(1).MoveToOuterDisposeScope();
    }
}
