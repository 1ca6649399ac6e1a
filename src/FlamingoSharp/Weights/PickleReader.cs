using System.Buffers.Binary;
using System.Text;

namespace FlamingoSharp.Weights;

/// <summary>Takes numbers and texts from a stretch of a file that holds a pickle, through a small window.</summary>
internal sealed class PickleReader(CheckpointFile file, long start, long end)
{
    private const int LongestText = 1 << 20;

    private readonly byte[] _window = new byte[(int)Math.Clamp(end - start, 1, 1 << 16)];
    private long _windowStart = start;
    private int _filled;
    private int _at;

    /// <summary>File offset of the next byte.</summary>
    public long Position => _windowStart + _at;

    public byte Byte() => Bytes(1)[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2));

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Bytes(4));

    public double Double() => BinaryPrimitives.ReadDoubleBigEndian(Bytes(8));

    /// <summary>Bytes that stay valid until the next call; at most 255, the window's smallest useful size.</summary>
    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (count > end - Position)
            throw file.Corrupt(Position, "the pickle ends in the middle of an instruction; the file is cut off or damaged");
        if (count > _filled - _at)
        {
            _windowStart = Position;
            _at = 0;
            _filled = (int)Math.Min(_window.Length, end - _windowStart);
            file.Read(_windowStart, _window.AsSpan(0, _filled));
        }
        _at += count;
        return _window.AsSpan(_at - count, count);
    }

    /// <summary>A text of a given length in bytes.</summary>
    public string Text(uint length)
    {
        if (length > LongestText || length > end - Position)
            throw file.Corrupt(Position, $"a text of {length} bytes was announced; at most {Math.Min(LongestText, end - Position)} can be here");
        byte[] bytes = new byte[length];
        for (int done = 0; done < bytes.Length;)
        {
            int part = Math.Min(bytes.Length - done, Math.Min(255, _window.Length));
            Bytes(part).CopyTo(bytes.AsSpan(done));
            done += part;
        }
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>A short text that a line feed ends.</summary>
    public string Line()
    {
        var line = new StringBuilder();
        for (byte b = Byte(); b != (byte)'\n'; b = Byte())
        {
            if (line.Length == 255)
                throw file.Corrupt(Position, "a name of more than 255 characters");
            line.Append((char)b);
        }
        return line.ToString();
    }
}
