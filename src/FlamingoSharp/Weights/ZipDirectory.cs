using System.Buffers.Binary;
using System.Text;

namespace FlamingoSharp.Weights;

/// <summary>One file within a zip archive.</summary>
/// <param name="Name">As written; never used as a path.</param>
/// <param name="Stored">True if its bytes stand in the archive as they are.</param>
/// <param name="Size">In bytes.</param>
/// <param name="Crc">Check sum of the bytes.</param>
/// <param name="Header">File offset of the local header.</param>
internal sealed record ZipEntry(string Name, bool Stored, long Size, uint Crc, long Header);

/// <summary>The central directory of a zip archive, also of one above 4 GB (ZIP64). Nothing is ever unpacked to disk.</summary>
internal sealed class ZipDirectory
{
    private const uint LocalSignature = 0x04034b50, CentralSignature = 0x02014b50, EndSignature = 0x06054b50;
    private const uint LocatorSignature = 0x07064b50, End64Signature = 0x06064b50;
    private const int EndSize = 22, LocatorSize = 20, End64Size = 56, CentralSize = 46, LocalSize = 30;
    private const long LargestDirectory = 64L << 20;

    private readonly CheckpointFile _file;
    private readonly long _start;

    /// <summary>Reads and checks the directory at the end of the file.</summary>
    /// <exception cref="FlamingoException">The directory is missing, which is what a cut-off download looks like, or contradicts itself.</exception>
    public ZipDirectory(CheckpointFile file)
    {
        _file = file;
        (_start, long size, long count) = FindDirectory();
        Entries = Parse(size, count);
    }

    /// <summary>Files by name.</summary>
    public IReadOnlyDictionary<string, ZipEntry> Entries { get; }

    /// <summary>File offset of an entry's first byte.</summary>
    /// <exception cref="FlamingoException">The entry is compressed, or does not lie where the directory says.</exception>
    public long DataStart(ZipEntry entry)
    {
        if (!entry.Stored)
            throw _file.Corrupt(entry.Header, $"the zip record '{entry.Name}' is compressed or encrypted; torch stores its records as they are");
        Span<byte> header = stackalloc byte[LocalSize];
        _file.Read(entry.Header, header);
        if (U32(header, 0) != LocalSignature)
            throw _file.Corrupt(entry.Header, $"the zip record '{entry.Name}' should begin here but does not");
        long start = entry.Header + LocalSize + U16(header, 26) + U16(header, 28);
        if (start > _start - entry.Size)
            throw _file.Corrupt(entry.Header, $"the zip record '{entry.Name}' of {entry.Size} bytes reaches into the directory at {_start}");
        return start;
    }

    private (long Start, long Size, long Count) FindDirectory()
    {
        int tail = (int)Math.Min(_file.Length, EndSize + ushort.MaxValue);
        byte[] bytes = new byte[tail];
        _file.Read(_file.Length - tail, bytes);
        for (int at = tail - EndSize; at >= 0; at--)
        {
            if (U32(bytes, at) != EndSignature || at + EndSize + U16(bytes, at + 20) != tail)
                continue;
            long where = _file.Length - tail + at;
            var (start, size, count) = ((long)U32(bytes, at + 16), (long)U32(bytes, at + 12), (long)U16(bytes, at + 10));
            if (start == uint.MaxValue || size == uint.MaxValue || count == ushort.MaxValue)
                (start, size, count) = ReadEnd64(where - LocatorSize);
            if (start < 0 || size < 0 || count < 0 || size > LargestDirectory || start > where - size || count > size / CentralSize)
                throw _file.Corrupt(where, $"the zip directory is said to lie at {start} with {size} bytes and {count} entries, which cannot be");
            return (start, size, count);
        }
        throw _file.Corrupt(_file.Length, "the zip archive's directory, which ends the file, is missing; the file is cut off");
    }

    private (long Start, long Size, long Count) ReadEnd64(long locatorAt)
    {
        Span<byte> locator = stackalloc byte[LocatorSize];
        _file.Read(locatorAt, locator);
        if (U32(locator, 0) != LocatorSignature)
            throw _file.Corrupt(Math.Max(0, locatorAt), "the ZIP64 locator is missing");
        Span<byte> end = stackalloc byte[End64Size];
        long endAt = BinaryPrimitives.ReadInt64LittleEndian(locator[8..]);
        _file.Read(endAt, end);
        if (U32(end, 0) != End64Signature)
            throw _file.Corrupt(endAt, "the ZIP64 directory's end should begin here but does not");
        return (BinaryPrimitives.ReadInt64LittleEndian(end[48..]), BinaryPrimitives.ReadInt64LittleEndian(end[40..]), BinaryPrimitives.ReadInt64LittleEndian(end[32..]));
    }

    private Dictionary<string, ZipEntry> Parse(long size, long count)
    {
        byte[] bytes = new byte[size];
        _file.Read(_start, bytes);
        var entries = new Dictionary<string, ZipEntry>();
        int at = 0;
        for (long i = 0; i < count; i++)
        {
            if (at > bytes.Length - CentralSize || U32(bytes, at) != CentralSignature)
                throw _file.Corrupt(_start + at, $"entry {i} of {count} of the zip directory should begin here but does not");
            int nameLength = U16(bytes, at + 28), extraLength = U16(bytes, at + 30), next = at + CentralSize + nameLength + extraLength + U16(bytes, at + 32);
            if (next > bytes.Length)
                throw _file.Corrupt(_start + at, $"entry {i} of {count} of the zip directory is longer than the directory");
            var entry = ParseEntry(bytes, at, nameLength, extraLength);
            if (!entries.TryAdd(entry.Name, entry))
                throw _file.Corrupt(_start + at, $"the zip record '{entry.Name}' is listed twice");
            at = next;
        }
        return entries;
    }

    private ZipEntry ParseEntry(byte[] bytes, int at, int nameLength, int extraLength)
    {
        string name = Encoding.UTF8.GetString(bytes, at + CentralSize, nameLength);
        long compressed = U32(bytes, at + 20), size = U32(bytes, at + 24), header = U32(bytes, at + 42);
        var extra = bytes.AsSpan(at + CentralSize + nameLength, extraLength);
        while (extra.Length >= 4)
        {
            int length = U16(extra, 2);
            if (length > extra.Length - 4)
                break;
            if (U16(extra, 0) == 1) // ZIP64: only the values that do not fit above, in this order
            {
                var field = extra.Slice(4, length);
                size = Wide(size, ref field, at);
                compressed = Wide(compressed, ref field, at);
                header = Wide(header, ref field, at);
            }
            extra = extra[(4 + length)..];
        }
        if (size < 0 || compressed < 0 || header < 0 || header > _start - LocalSize || compressed > _start)
            throw _file.Corrupt(_start + at, $"the zip record '{name}' is said to lie at {header} with {size} bytes, outside the file");
        bool stored = U16(bytes, at + 10) == 0 && (U16(bytes, at + 8) & 1) == 0 && compressed == size;
        return new ZipEntry(name, stored, size, U32(bytes, at + 16), header);
    }

    private long Wide(long narrow, ref Span<byte> field, int at)
    {
        if (narrow != uint.MaxValue)
            return narrow;
        if (field.Length < 8)
            throw _file.Corrupt(_start + at, "a ZIP64 field of the zip directory is too short");
        long value = BinaryPrimitives.ReadInt64LittleEndian(field);
        field = field[8..];
        return value;
    }

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static int U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);
}
