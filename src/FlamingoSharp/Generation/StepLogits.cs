using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace FlamingoSharp.Generation;

/// <summary>The logits of one step, seen row by row.</summary>
internal sealed class StepLogits : IDisposable
{
    private readonly Tensor _logits; // [rows, vocabulary]

    /// <summary>Takes over the logits that a session returned, [rows, vocabulary], float32 on the CPU.</summary>
    public StepLogits(Tensor logits)
    {
        if (logits.dim() != 2 || logits.dtype != ScalarType.Float32 || logits.device_type != TorchSharp.DeviceType.CPU)
            throw new ArgumentException($"Logits must be [rows, vocabulary], float32 on the CPU; found [{string.Join(", ", logits.shape)}], {logits.dtype} on {logits.device}.", nameof(logits));
        if (logits.is_contiguous())
        {
            _logits = logits;
            return;
        }
        using (logits)
            _logits = logits.contiguous();
    }

    /// <summary>Tokens to choose from.</summary>
    public int Vocabulary => (int)_logits.shape[1];

    /// <summary>One row, [vocabulary]; valid until this is disposed.</summary>
    public ReadOnlySpan<float> Row(int row) => MemoryMarshal.Cast<byte, float>(_logits.bytes).Slice(row * Vocabulary, Vocabulary);

    /// <inheritdoc/>
    public void Dispose() => _logits.Dispose();
}
