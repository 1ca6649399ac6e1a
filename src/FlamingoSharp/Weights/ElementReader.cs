using static TorchSharp.torch;

namespace FlamingoSharp.Weights;

/// <summary>Reads raw little-endian elements into tensors, converting in pieces, so that no second copy of a large tensor exists.</summary>
internal static class ElementReader
{
    /// <summary>Largest piece that is held beside the tensor being filled, in bytes.</summary>
    public const int ChunkBytes = 8 << 20;

    /// <summary>Size of one element, in bytes.</summary>
    public static int SizeOf(ScalarType type) => type switch
    {
        ScalarType.Float64 or ScalarType.Int64 => 8,
        ScalarType.Float32 or ScalarType.Int32 => 4,
        ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Int16 => 2,
        ScalarType.Int8 or ScalarType.Byte or ScalarType.Bool => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not an element type of checkpoints"),
    };

    /// <summary>Reads a contiguous tensor; <paramref name="read"/> fills a buffer from a byte position relative to the tensor's first.</summary>
    /// <param name="info">Shape and stored type.</param>
    /// <param name="type">The wanted element type; null keeps the stored one.</param>
    /// <param name="read">Called with ascending, adjoining positions.</param>
    public static Tensor Contiguous(WeightInfo info, ScalarType? type, ReadBytes read)
    {
        ScalarType wanted = type ?? info.Type;
        long chunk = ChunkBytes / SizeOf(info.Type);
        var result = empty([.. info.Shape], wanted);
        try
        {
            using var flat = result.view(-1);
            using var staging = wanted == info.Type ? null : empty(Math.Min(chunk, info.Count), info.Type);
            for (long start = 0; start < info.Count; start += chunk)
            {
                long count = Math.Min(chunk, info.Count - start);
                using var target = flat.narrow(0, start, count);
                if (staging is null)
                {
                    read(start * SizeOf(info.Type), target.bytes);
                    continue;
                }
                using var piece = staging.narrow(0, 0, count);
                read(start * SizeOf(info.Type), piece.bytes);
                target.copy_(piece).Dispose();
            }
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }
}

/// <summary>Fills a buffer from a byte position of a stored tensor.</summary>
internal delegate void ReadBytes(long position, Span<byte> buffer);
