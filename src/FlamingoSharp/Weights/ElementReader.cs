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

    /// <summary>Reads a view whose elements do not lie one behind the other: only the stretches that it touches, a piece at a time.</summary>
    /// <param name="info">Shape and stored type; no dimension is 0.</param>
    /// <param name="stride">Step of each dimension in elements; 0 repeats.</param>
    /// <param name="type">The wanted element type; null keeps the stored one.</param>
    /// <param name="read">Called with positions relative to the first element.</param>
    public static Tensor Strided(WeightInfo info, long[] stride, ScalarType? type, ReadBytes read)
    {
        var result = empty([.. info.Shape], type ?? info.Type);
        try
        {
            // Widest step first, so that pieces of the leading dimension are short stretches of the file.
            int[] order = [.. Enumerable.Range(0, stride.Length).OrderByDescending(i => stride[i])];
            using var target = result.permute([.. order.Select(i => (long)i)]);
            CopyPieces(target, info.Type, [.. order.Select(i => info.Shape[i])], [.. order.Select(i => stride[i])], 0, read);
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    private static void CopyPieces(Tensor target, ScalarType stored, long[] size, long[] stride, long offset, ReadBytes read)
    {
        long limit = ChunkBytes / SizeOf(stored), inner = Span(size.AsSpan(1), stride.AsSpan(1)), whole = Span(size, stride);
        if (whole <= limit)
        {
            using var staging = empty(whole, stored);
            read(offset * SizeOf(stored), staging.bytes);
            using var view = staging.as_strided(size, stride);
            target.copy_(view).Dispose();
            return;
        }
        long step = inner >= limit ? 1 : Math.Max(1, (limit - inner) / stride[0]);
        for (long i = 0; i < size[0]; i += step)
        {
            long count = Math.Min(step, size[0] - i);
            bool descend = inner > limit; // then count is 1 and the next dimension is cut
            using var piece = descend ? target.select(0, i) : target.narrow(0, i, count);
            CopyPieces(piece, stored, descend ? size[1..] : [count, .. size[1..]], descend ? stride[1..] : stride, offset + (i * stride[0]), read);
        }
    }

    /// <summary>Number of elements from the first to the last that a view touches.</summary>
    private static long Span(ReadOnlySpan<long> size, ReadOnlySpan<long> stride)
    {
        long span = 1;
        for (int i = 0; i < size.Length; i++)
            span += (size[i] - 1) * stride[i];
        return span;
    }
}

/// <summary>Fills a buffer from a byte position of a stored tensor.</summary>
internal delegate void ReadBytes(long position, Span<byte> buffer);
