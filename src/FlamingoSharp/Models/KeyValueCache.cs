using static TorchSharp.torch;

namespace FlamingoSharp.Models;

/// <summary>The keys and values of past tokens, in tensors of full length allocated once.</summary>
/// <remarks>
/// Shapes: b rows, h key heads, s capacity in tokens, e head width. All rows hold the same number of tokens: shorter prompts are
/// padded on the left and the padding is hidden by the attention mask.
/// </remarks>
internal sealed class KeyValueCache : IDisposable
{
    private readonly Tensor[] _keys;
    private readonly Tensor[] _values;

    /// <summary>Allocates room for every layer.</summary>
    public KeyValueCache(int layers, long rows, int heads, long capacity, int headWidth, ScalarType type, Device device)
    {
        Tensor[] Allocate() => [.. Enumerable.Range(0, layers).Select(_ => empty([rows, heads, capacity, headWidth], type, device).DetachFromDisposeScope())];
        (Capacity, _keys, _values) = (capacity, Allocate(), Allocate());
    }

    /// <summary>Tokens that fit.</summary>
    public long Capacity { get; }

    /// <summary>Tokens held so far; <see cref="Advance"/> moves it once all layers have appended.</summary>
    public long Length { get; private set; }

    /// <summary>Bytes of all tensors.</summary>
    public long Bytes => _keys.Concat(_values).Sum(t => t.numel() * t.element_size());

    /// <summary>Writes new tokens of one layer and returns everything up to them.</summary>
    /// <param name="layer">Which layer.</param> <param name="keys">[b, h, t, e]</param> <param name="values">[b, h, t, e]</param>
    /// <returns>Views, [b, h, length + t, e].</returns>
    public (Tensor Keys, Tensor Values) Append(int layer, Tensor keys, Tensor values)
    {
        long t = keys.shape[2];
        using (var slot = _keys[layer].narrow(2, Length, t))
            slot.copy_(keys);
        using (var slot = _values[layer].narrow(2, Length, t))
            slot.copy_(values);
        return (_keys[layer].narrow(2, 0, Length + t), _values[layer].narrow(2, 0, Length + t));
    }

    /// <summary>Counts the tokens that every layer has appended.</summary>
    public void Advance(long tokens) => Length += tokens;

    /// <summary>Forgets the tokens after the first <paramref name="length"/>.</summary>
    public void Rewind(long length) => Length = length;

    /// <summary>Makes row i the continuation of old row <paramref name="rows"/>[i]; the number of rows may change.</summary>
    public void Reorder(Tensor rows)
    {
        foreach (var tensors in new[] { _keys, _values })
        {
            for (int i = 0; i < tensors.Length; i++)
            {
                var old = tensors[i];
                // Only the part in use is copied; the rest is never read before it is written.
                tensors[i] = empty([rows.shape[0], old.shape[1], Capacity, old.shape[3]], old.dtype, old.device).DetachFromDisposeScope();
                using (NewDisposeScope())
                    tensors[i].narrow(2, 0, Length).copy_(old.narrow(2, 0, Length).index_select(0, rows));
                old.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _keys.Concat(_values))
            tensor.Dispose();
    }
}
