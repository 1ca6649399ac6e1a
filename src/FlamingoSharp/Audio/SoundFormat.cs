using System.Buffers.Binary;
using System.Text;

namespace FlamingoSharp.Audio;

/// <summary>What a file is, judged by its first bytes and never by its name.</summary>
/// <param name="Name">The name used in messages.</param>
internal sealed record SoundFormat(string Name)
{
    /// <summary>How many bytes from the beginning the judgement looks at.</summary>
    public const int HeadBytes = 1 << 14;

    /// <summary>Uncompressed WAV: read in-process.</summary>
    public static readonly SoundFormat Wave = new("WAV");

    /// <summary>MPEG layer III, which the reference loads by a rule of its own.</summary>
    public static readonly SoundFormat Mp3 = new("MP3");

    /// <summary>Text, which no sound format is.</summary>
    public static readonly SoundFormat Text = new("text");

    /// <summary>Nothing known; ffmpeg may still know it.</summary>
    public static readonly SoundFormat Unknown = new("of an unknown format");

    private static readonly (int Offset, string Magic, SoundFormat Format)[] Magics =
    [
        (0, "fLaC", new("FLAC")), (0, "OggS", new("Ogg")), (4, "ftyp", new("MP4")), (0, "\u001aEß£", new("Matroska/WebM")),
        (0, "FORM", new("AIFF")), (0, ".snd", new("AU")), (0, "caff", new("CAF")), (0, "riff", new("Wave64")), (0, "RIFX", new("big-endian WAV")),
        (0, "RIFF", new("RIFF")), (0, "0&²u", new("ASF/WMA")), (0, "#!AMR", new("AMR")), (0, "wvpk", new("WavPack")), (0, "MAC ", new("Monkey's Audio")),
        (0, "TTA1", new("TTA")), (0, "tBaK", new("TAK")), (0, "MP+", new("Musepack")), (0, "MPCK", new("Musepack")), (0, "FLV", new("FLV")),
        (0, "DSD ", new("DSF")), (0, "\vw", new("AC-3")), (0, "Creative Voice File", new("VOC")),
    ];

    /// <summary>Judges the beginning of a file.</summary>
    /// <param name="head">Up to <see cref="HeadBytes"/> bytes; fewer only where the file is shorter.</param>
    public static SoundFormat Detect(ReadOnlySpan<byte> head)
    {
        if (head.Length >= 12 && (head.StartsWith("RIFF"u8) || head.StartsWith("RF64"u8) || head.StartsWith("BW64"u8)) && head[8..12].SequenceEqual("WAVE"u8))
            return WaveFormat.FindCodec(head) is { } codec ? new SoundFormat($"WAV with the codec {codec}") : Wave;
        if (head.Length < 12 && head.StartsWith("RIFF"u8))
            return Wave; // cut off: the reader says so
        foreach (var (offset, magic, format) in Magics)
        {
            if (head.Length > offset && head[offset..].StartsWith(Encoding.Latin1.GetBytes(magic)))
                return format;
        }
        if (head.StartsWith("ID3"u8) && head.Length >= 10)
        {
            int size = 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]);
            var inner = size < head.Length ? Detect(head[size..]) : Mp3; // a large tag is an mp3's: it holds the cover
            return inner == Text || inner == Unknown ? Mp3 : inner;
        }
        if (MpegLayer(head) is { } layer)
            return layer;
        return IsText(head) ? Text : Unknown;
    }

    /// <summary>The first words of a text, for a message.</summary>
    public static string Excerpt(ReadOnlySpan<byte> head)
    {
        string text = string.Join(' ', Encoding.UTF8.GetString(head[..Math.Min(64, head.Length)]).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return text.Length <= 20 ? text : $"{text[..20]}…";
    }

    // Two bytes are little evidence, so the fields that follow must make sense too.
    private static SoundFormat? MpegLayer(ReadOnlySpan<byte> head)
    {
        if (head.Length < 4)
            return null;
        uint header = BinaryPrimitives.ReadUInt32BigEndian(head);
        if (header >> 20 == 0xFFF && (header >> 17 & 3) == 0)
            return new SoundFormat("AAC");
        bool sensible = header >> 21 == 0x7FF && (header >> 19 & 3) != 1 && (header >> 12 & 15) != 15 && (header >> 10 & 3) != 3;
        return !sensible ? null : (header >> 17 & 3) switch
        {
            1 => Mp3,
            2 => new SoundFormat("MPEG layer II"),
            _ => null, // layer I is rarer than a byte order mark
        };
    }

    private static bool IsText(ReadOnlySpan<byte> head)
    {
        var sample = head[..Math.Min(512, head.Length)];
        if (sample.StartsWith(new byte[] { 0xFF, 0xFE }) || sample.StartsWith(new byte[] { 0xFE, 0xFF })) // UTF-16
            return true;
        foreach (byte b in sample)
        {
            if (b < 0x20 && b is not ((byte)'\t' or (byte)'\n' or (byte)'\r' or (byte)'\f'))
                return false;
        }
        string text = Encoding.UTF8.GetString(sample);
        return text.Count(c => c == '\uFFFD') <= 1; // one may be cut at the end of the sample
    }
}
