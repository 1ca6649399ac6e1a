using System.Buffers.Binary;
using System.Text;

namespace FlamingoSharp.Runtime;

/// <summary>
/// Lowers one version requirement of a 64-bit ELF library: <c>GLIBCXX_3.4.32</c>, which is asked for only by the marker symbol
/// <c>_ZSt21ios_base_library_initv</c>, becomes <c>GLIBCXX_3.4.20</c> with a symbol that exists there.
/// </summary>
/// <remarks>Source: System V ABI, "Dynamic Section"; Linux Standard Base, "Symbol Versioning".</remarks>
internal static class GlibcxxPatch
{
    public const string MissingVersion = "GLIBCXX_3.4.32";
    private const string PresentVersion = "GLIBCXX_3.4.20";
    private const string MissingSymbol = "_ZSt21ios_base_library_initv";
    private const string PresentSymbol = "_ZSt15get_new_handlerv";

    private const long StringTableTag = 5, StringTableSizeTag = 10, VersionNeedTag = 0x6ffffffe, VersionNeedCountTag = 0x6fffffff;
    private const uint LoadSegment = 1, DynamicSegment = 2;

    /// <summary>Returns a patched copy of an ELF image.</summary>
    /// <exception cref="FlamingoException">The image is not a little-endian ELF64 library, or has no such requirement.</exception>
    public static byte[] Apply(ReadOnlySpan<byte> image)
    {
        byte[] elf = image.ToArray();
        try
        {
            Patch(elf);
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or OverflowException)
        {
            throw Unsuitable("its tables point outside the file", e);
        }
        return elf;
    }

    private static void Patch(byte[] elf)
    {
        if (elf.Length < 64 || !elf.AsSpan(0, 6).SequenceEqual("\u007fELF\u0002\u0001"u8))
            throw Unsuitable("it is not a little-endian 64-bit ELF file");

        var dynamic = ReadDynamicSection(elf);
        int strings = Offset(elf, dynamic[StringTableTag]);
        Span<byte> names = elf.AsSpan(strings, checked((int)dynamic[StringTableSizeTag]));

        int need = Offset(elf, dynamic[VersionNeedTag]);
        bool lowered = false;
        for (long file = 0; file < dynamic[VersionNeedCountTag]; file++)
        {
            int auxiliaries = U16(elf, need + 2), auxiliary = need + (int)U32(elf, need + 8);
            for (int i = 0; i < auxiliaries; i++)
            {
                if (Name(names, U32(elf, auxiliary + 8)).SequenceEqual(Encoding.ASCII.GetBytes(MissingVersion)))
                {
                    BinaryPrimitives.WriteUInt32LittleEndian(elf.AsSpan(auxiliary), ElfHash(PresentVersion));
                    Encoding.ASCII.GetBytes(PresentVersion, names[(int)U32(elf, auxiliary + 8)..]);
                    lowered = true;
                }
                auxiliary += (int)U32(elf, auxiliary + 12);
            }
            need += (int)U32(elf, need + 12);
        }

        int symbol = names.IndexOf(Encoding.ASCII.GetBytes('\0' + MissingSymbol + '\0'));
        if (!lowered || symbol < 0)
            throw Unsuitable($"it does not ask for {MissingVersion} through {MissingSymbol}");
        Span<byte> slot = names.Slice(symbol + 1, MissingSymbol.Length);
        slot.Clear();
        Encoding.ASCII.GetBytes(PresentSymbol, slot);
    }

    private static Dictionary<long, long> ReadDynamicSection(byte[] elf)
    {
        var entries = new Dictionary<long, long>();
        foreach (var (type, offset, _, size) in Segments(elf).Where(s => s.Type == DynamicSegment))
        {
            for (int at = offset; at < offset + size; at += 16)
                entries[I64(elf, at)] = I64(elf, at + 8);
        }
        foreach (long tag in new[] { StringTableTag, StringTableSizeTag, VersionNeedTag, VersionNeedCountTag })
        {
            if (!entries.ContainsKey(tag))
                throw Unsuitable("it has no versioned dynamic symbols");
        }
        return entries;
    }

    private static IEnumerable<(uint Type, int Offset, long Address, long Size)> Segments(byte[] elf)
    {
        int table = checked((int)I64(elf, 32)), entrySize = U16(elf, 54), count = U16(elf, 56);
        for (int i = 0; i < count; i++)
        {
            int at = table + i * entrySize;
            yield return (U32(elf, at), checked((int)I64(elf, at + 8)), I64(elf, at + 16), I64(elf, at + 32));
        }
    }

    private static int Offset(byte[] elf, long address)
    {
        foreach (var (type, offset, start, size) in Segments(elf))
        {
            if (type == LoadSegment && address >= start && address < start + size)
                return checked((int)(offset + address - start));
        }
        throw Unsuitable("its dynamic section points outside every segment");
    }

    private static ReadOnlySpan<byte> Name(ReadOnlySpan<byte> names, uint offset)
    {
        var rest = names[(int)offset..];
        int end = rest.IndexOf((byte)0);
        return end < 0 ? rest : rest[..end];
    }

    /// <summary>The System V hash of a version name, as <c>vna_hash</c> holds it.</summary>
    internal static uint ElfHash(string name)
    {
        uint hash = 0;
        foreach (char c in name)
        {
            hash = (hash << 4) + c;
            uint high = hash & 0xf0000000;
            hash = (hash ^ (high >> 24)) & ~high;
        }
        return hash;
    }

    private static ushort U16(byte[] elf, int at) => BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan(at, 2));

    private static uint U32(byte[] elf, int at) => BinaryPrimitives.ReadUInt32LittleEndian(elf.AsSpan(at, 4));

    private static long I64(byte[] elf, int at) => BinaryPrimitives.ReadInt64LittleEndian(elf.AsSpan(at, 8));

    private static FlamingoException Unsuitable(string why, Exception? inner = null) =>
        new(FlamingoErrorKind.Device, $"TorchSharp's native library cannot be adapted to this system: {why}. Install libstdc++ 13 or newer.", inner);
}
