namespace FlamingoSharp.Text;

/// <summary>
/// The 256 printable characters that stand for bytes in the files of a byte-level vocabulary, as GPT-2 defined them:
/// printable Latin-1 stands for itself, every other byte for a character from U+0100 on.
/// </summary>
internal static class ByteAlphabet
{
    private const int FirstStandIn = 0x100;

    /// <summary>The characters in the order in which GPT-2 numbers them: the printable bytes first.</summary>
    public static IReadOnlyList<char> Characters { get; } =
        [.. Enumerable.Range(0, 256).Where(Printable).Select(b => (char)b),
         .. Enumerable.Range(FirstStandIn, 256 - Enumerable.Range(0, 256).Count(Printable)).Select(c => (char)c)];

    private static readonly Dictionary<char, byte> Bytes = Characters
        .Zip(Enumerable.Range(0, 256).OrderBy(b => !Printable(b)))
        .ToDictionary(p => p.First, p => (byte)p.Second);

    /// <summary>The bytes that a vocabulary entry stands for; null if a character is none of the alphabet.</summary>
    public static byte[]? Decode(string entry)
    {
        byte[] bytes = new byte[entry.Length];
        for (int i = 0; i < entry.Length; i++)
        {
            if (!Bytes.TryGetValue(entry[i], out bytes[i]))
                return null;
        }
        return bytes;
    }

    private static bool Printable(int b) => b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
}
