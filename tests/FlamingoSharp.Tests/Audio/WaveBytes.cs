using System.Text;

namespace FlamingoSharp.Tests.Audio;

/// <summary>Writes WAV files byte by byte, right or wrong as a test needs them.</summary>
internal sealed record WaveBytes
{
    public int Tag { get; init; } = 1;

    public int Channels { get; init; } = 1;

    public uint Rate { get; init; } = 44100;

    public int Bits { get; init; } = 16;

    /// <summary>The samples as stored.</summary>
    public byte[] Data { get; init; } = [];

    /// <summary>The length written in front of the samples; null writes the true one.</summary>
    public uint? DeclaredBytes { get; init; }

    /// <summary>The frame size in the header; null writes the true one.</summary>
    public int? BlockAlign { get; init; }

    /// <summary>True writes WAVE_FORMAT_EXTENSIBLE with the tag in its sub-format.</summary>
    public bool Extensible { get; init; }

    /// <summary>Chunks before the format, between format and samples, and behind.</summary>
    public byte[] Before { get; init; } = [];

    public byte[] Between { get; init; } = [];

    public byte[] Behind { get; init; } = [];

    public string Riff { get; init; } = "RIFF";

    public static byte[] Chunk(string id, byte[] content, bool pad = true) =>
        [.. Encoding.ASCII.GetBytes(id), .. BitConverter.GetBytes(content.Length), .. content, .. pad && content.Length % 2 == 1 ? new byte[1] : []];

    public static byte[] Pcm16(params short[] samples) => [.. samples.SelectMany(BitConverter.GetBytes)];

    public static byte[] Float32(params float[] samples) => [.. samples.SelectMany(BitConverter.GetBytes)];

    public static byte[] Float64(params double[] samples) => [.. samples.SelectMany(BitConverter.GetBytes)];

    /// <summary>Interleaved 16-bit noise, the same every time.</summary>
    public static byte[] Noise16(int samples, int seed = 1)
    {
        byte[] data = new byte[samples * 2];
        new Random(seed).NextBytes(data);
        return data;
    }

    public byte[] ToArray()
    {
        int align = BlockAlign ?? (Bits + 7) / 8 * Channels;
        byte[] format =
        [
            .. BitConverter.GetBytes((ushort)(Extensible ? 0xFFFE : Tag)), .. BitConverter.GetBytes((ushort)Channels), .. BitConverter.GetBytes(Rate),
            .. BitConverter.GetBytes((uint)(Rate * align)), .. BitConverter.GetBytes((ushort)align), .. BitConverter.GetBytes((ushort)Bits),
        ];
        if (Extensible)
        {
            format =
            [
                .. format, 22, 0, .. BitConverter.GetBytes((ushort)Bits), 0, 0, 0, 0, .. BitConverter.GetBytes((ushort)Tag), 0, 0,
                0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71,
            ];
        }
        byte[] body =
        [
            .. Before, .. Chunk("fmt ", format), .. Between, .. Encoding.ASCII.GetBytes("data"),
            .. BitConverter.GetBytes(DeclaredBytes ?? (uint)Data.Length), .. Data, .. Behind,
        ];
        return [.. Encoding.ASCII.GetBytes(Riff), .. BitConverter.GetBytes(body.Length + 4), .. "WAVE"u8, .. body];
    }
}

/// <summary>A stream that gives its bytes a few at a time and cannot seek, like a pipe.</summary>
internal sealed class PipeStream(byte[] bytes) : Stream
{
    private int _at;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count)
    {
        int got = Math.Min(Math.Min(count, 1777), bytes.Length - _at);
        bytes.AsSpan(_at, got).CopyTo(buffer.AsSpan(offset));
        _at += got;
        return got;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
