using System.Buffers.Binary;

namespace FlamingoSharp.Audio;

/// <summary>The <c>fmt </c> chunk of a WAV file.</summary>
/// <param name="Channels">Channels, at least 1.</param>
/// <param name="SampleRate">Frames per second, in Hz.</param>
/// <param name="SampleBytes">Bytes of one sample as stored.</param>
/// <param name="IsFloat">True for IEEE floating point, false for integers.</param>
/// <remarks>
/// Source: Microsoft, "Multiple channel audio data and WAVE files". Integers of fewer bits than their container are left-aligned in it, so the
/// container decides the scale; one byte is unsigned, more are signed.
/// </remarks>
internal sealed record WaveFormat(int Channels, int SampleRate, int SampleBytes, bool IsFloat)
{
    private const int PcmTag = 1, FloatTag = 3, ExtensibleTag = 0xFFFE;

    /// <summary>Bytes of one frame.</summary>
    public int FrameBytes => Channels * SampleBytes;

    /// <summary>Reads a chunk's content.</summary>
    /// <param name="chunk">At least its first 16 bytes; 40 for WAVE_FORMAT_EXTENSIBLE.</param>
    /// <param name="name">What messages call the file.</param>
    public static WaveFormat Parse(ReadOnlySpan<byte> chunk, string name)
    {
        int tag = Tag(chunk), channels = BinaryPrimitives.ReadUInt16LittleEndian(chunk[2..]);
        uint rate = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
        int frame = BinaryPrimitives.ReadUInt16LittleEndian(chunk[12..]), bits = BinaryPrimitives.ReadUInt16LittleEndian(chunk[14..]);
        if (tag is not (PcmTag or FloatTag))
            throw Unreadable(name, $"its codec is {CodecName(tag)}; convert it to PCM first");
        if (channels == 0)
            throw Unreadable(name, "its header declares 0 channels");
        if (rate is < Resampler.LowestRate or > Resampler.HighestRate)
            throw Unreadable(name, $"its header declares a rate of {rate} Hz; rates from {Resampler.LowestRate} to {Resampler.HighestRate} Hz can be read");

        // The frame size is right where it divides evenly and holds the bits; some writers leave it 0 or forget the channels.
        int needed = (bits + 7) / 8;
        int bytes = frame % channels == 0 && frame / channels >= needed && frame / channels <= 8 ? frame / channels : needed;
        bool readable = tag == FloatTag ? bytes is 4 or 8 : bytes is >= 1 and <= 4;
        return readable && bits > 0
            ? new WaveFormat(channels, (int)rate, bytes, tag == FloatTag)
            : throw Unreadable(name, $"its header declares {bits}-bit {(tag == FloatTag ? "float" : "integer")} samples; 8 to 32 bits of integer and 32 or 64 of float can be read");
    }

    /// <summary>The codec of a WAV that is neither PCM nor float, by name; null where it is, or where the head does not tell.</summary>
    public static string? FindCodec(ReadOnlySpan<byte> head)
    {
        for (long at = 12; at + 24 <= head.Length;)
        {
            var chunk = head[(int)at..];
            long size = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            if (chunk.StartsWith("fmt "u8))
                return Tag(chunk[8..]) is PcmTag or FloatTag or 0 ? null : CodecName(Tag(chunk[8..]));
            at += 8 + size + (size & 1);
        }
        return null;
    }

    /// <summary>Samples as stored to doubles; integers are divided by 2^(bits-1).</summary>
    public void Decode(ReadOnlySpan<byte> stored, Span<double> samples)
    {
        switch (SampleBytes, IsFloat)
        {
            case (1, false):
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = (stored[i] - 128) / 128.0;
                break;
            case (2, false):
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = BinaryPrimitives.ReadInt16LittleEndian(stored[(2 * i)..]) / 32768.0;
                break;
            case (3, false):
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = (stored[3 * i] << 8 | stored[(3 * i) + 1] << 16 | stored[(3 * i) + 2] << 24) / 2147483648.0;
                break;
            case (4, false):
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = BinaryPrimitives.ReadInt32LittleEndian(stored[(4 * i)..]) / 2147483648.0;
                break;
            case (4, true):
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = BinaryPrimitives.ReadSingleLittleEndian(stored[(4 * i)..]);
                break;
            default:
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = BinaryPrimitives.ReadDoubleLittleEndian(stored[(8 * i)..]);
                break;
        }
    }

    internal static FlamingoException Unreadable(string name, string reason) =>
        new(FlamingoErrorKind.Input, $"'{name}' is a WAV file that cannot be read: {reason}.");

    // An extensible header carries the real tag in the first bytes of its sub-format.
    private static int Tag(ReadOnlySpan<byte> chunk)
    {
        int tag = BinaryPrimitives.ReadUInt16LittleEndian(chunk);
        return tag == ExtensibleTag && chunk.Length >= 26 ? BinaryPrimitives.ReadUInt16LittleEndian(chunk[24..]) : tag;
    }

    private static string CodecName(int tag) => tag switch
    {
        0x02 => "Microsoft ADPCM",
        0x06 => "A-law",
        0x07 => "mu-law",
        0x11 => "IMA ADPCM",
        0x31 => "GSM 6.10",
        0x50 => "MPEG layer II",
        0x55 => "MP3",
        _ => $"0x{tag:X4}",
    };
}
