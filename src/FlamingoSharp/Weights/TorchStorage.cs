using System.Buffers;
using static TorchSharp.torch;

namespace FlamingoSharp.Weights;

/// <summary>The raw elements of one or several tensors of a torch checkpoint, and their check sum, which is compared once.</summary>
/// <param name="file">The checkpoint.</param>
/// <param name="name">Of the record, for messages.</param>
/// <param name="start">File offset of the first byte.</param>
/// <param name="length">In bytes.</param>
/// <param name="crc">The expected check sum; null where the form has none.</param>
internal sealed class TorchStorage(CheckpointFile file, string name, long start, long length, uint? crc)
{
    private bool _verified = crc is null;

    /// <summary>In bytes.</summary>
    public long Length => length;

    /// <summary>Reads the elements of a view. The check sum is taken on the way if the view is the whole record, else before.</summary>
    public Tensor Read(TensorReference view, WeightInfo info, ScalarType? type)
    {
        int size = ElementReader.SizeOf(info.Type);
        long offset = view.Offset * size;
        if (info.Count == 0)
            return empty([.. info.Shape], type ?? info.Type);
        if (!IsContiguous(view))
        {
            Verify();
            return ElementReader.Strided(info, view.Stride, type, (position, buffer) => file.Read(start + offset + position, buffer));
        }
        if (_verified || offset != 0 || info.Count * size != length)
        {
            Verify();
            return ElementReader.Contiguous(info, type, (position, buffer) => file.Read(start + offset + position, buffer));
        }
        var sum = default(Crc32);
        var tensor = ElementReader.Contiguous(info, type, (position, buffer) =>
        {
            file.Read(start + position, buffer);
            sum.Append(buffer);
        });
        if (sum.Value != crc)
        {
            tensor.Dispose();
            throw Damaged(sum.Value);
        }
        _verified = true;
        return tensor;
    }

    /// <summary>Compares the check sum, if it has not been.</summary>
    public void Verify()
    {
        if (_verified)
            return;
        var sum = default(Crc32);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1 << 18);
        try
        {
            for (long done = 0; done < length;)
            {
                var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - done));
                file.Read(start + done, part);
                sum.Append(part);
                done += part.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        if (sum.Value != crc)
            throw Damaged(sum.Value);
        _verified = true;
    }

    private FlamingoException Damaged(uint found) =>
        file.Corrupt(start, $"the record '{name}' has the check sum {found:x8}, but {crc:x8} was noted when it was written; the file is damaged");

    private static bool IsContiguous(TensorReference view)
    {
        long expected = 1;
        for (int i = view.Size.Length - 1; i >= 0; i--)
        {
            if (view.Size[i] != 1 && view.Stride[i] != expected)
                return false;
            expected *= view.Size[i];
        }
        return true;
    }
}
