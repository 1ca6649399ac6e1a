using static TorchSharp.torch;

namespace FlamingoSharp.Generation;

/// <summary>One running batch: what generation needs of a model. Rows may differ in prompt length.</summary>
/// <remarks>
/// Calls come from one thread, in the order <see cref="Prefill"/>, then any mix of <see cref="Reorder"/>, <see cref="Step"/> and
/// <see cref="Rewind"/>.
/// The caller owns the returned logits.
/// </remarks>
internal interface IDecodingSession : IDisposable
{
    /// <summary>Rows that run now.</summary>
    int Rows { get; }

    /// <summary>Length of each row's prompt, in tokens.</summary>
    int[] PromptLengths { get; }

    /// <summary>Runs the prompts.</summary>
    /// <returns>Logits of the last prompt token of each row, [rows, vocabulary], float32 on the CPU.</returns>
    Tensor Prefill();

    /// <summary>Feeds tokens, as many to every row.</summary>
    /// <param name="tokens">Those of the first row first, [rows * t]; in generation t is 1.</param>
    /// <returns>Logits of what follows each of them, in the same order, [rows * t, vocabulary], float32 on the CPU.</returns>
    Tensor Step(ReadOnlySpan<long> tokens);

    /// <summary>Forgets what was fed after the prompts.</summary>
    void Rewind();

    /// <summary>Row i goes on from old row <paramref name="rows"/>[i]; the number of rows may change (beams expand, finished rows leave).</summary>
    void Reorder(ReadOnlySpan<long> rows);
}
