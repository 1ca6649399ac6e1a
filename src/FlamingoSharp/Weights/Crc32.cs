using System.Buffers.Binary;

namespace FlamingoSharp.Weights;

/// <summary>The check sum of zip records (reflected polynomial 0xEDB88320), eight bytes a step.</summary>
internal struct Crc32
{
    private static readonly uint[] Tables = MakeTables();

    private uint _inverted;

    /// <summary>The sum of everything appended so far.</summary>
    public readonly uint Value => _inverted; // the state is kept inverted twice, so that a fresh struct is the sum of nothing

    /// <summary>Appends bytes.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        uint crc = ~_inverted;
        uint[] t = Tables;
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ crc;
            crc = t[(7 * 256) + (byte)word] ^ t[(6 * 256) + (byte)(word >> 8)] ^ t[(5 * 256) + (byte)(word >> 16)] ^ t[(4 * 256) + (byte)(word >> 24)]
                ^ t[(3 * 256) + (byte)(word >> 32)] ^ t[(2 * 256) + (byte)(word >> 40)] ^ t[256 + (byte)(word >> 48)] ^ t[(byte)(word >> 56)];
        }
        foreach (byte b in bytes)
            crc = t[(byte)(crc ^ b)] ^ (crc >> 8);
        _inverted = ~crc;
    }

    private static uint[] MakeTables()
    {
        uint[] tables = new uint[8 * 256];
        for (uint i = 0; i < 256; i++)
        {
            uint c = i;
            for (int bit = 0; bit < 8; bit++)
                c = (c >> 1) ^ ((c & 1) * 0xEDB88320);
            tables[i] = c;
        }
        for (int i = 256; i < tables.Length; i++)
            tables[i] = tables[(byte)tables[i - 256]] ^ (tables[i - 256] >> 8);
        return tables;
    }
}
