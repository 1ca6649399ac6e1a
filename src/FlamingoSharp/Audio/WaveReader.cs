using System.Buffers.Binary;

namespace FlamingoSharp.Audio;

/// <summary>
/// Reads uncompressed WAV in blocks, from files and from streams that cannot seek. Tolerant where the sound is still unambiguous: unknown chunks
/// anywhere, missing padding, a length that was never written, a file that ends too early.
/// </summary>
internal sealed class WaveReader : ISampleReader
{
    // Writers to a pipe leave 0, 0xFFFFFFFF or something just under 2 or 4 GiB where the length belongs.
    private const uint UnwrittenLength = 0x7FFF_0000;

    private readonly Stream _stream;
    private readonly string _name;
    private readonly WaveFormat _format;
    private readonly List<string> _warnings = [];
    private readonly byte[] _block;
    private long? _declaredFrames; // null: whatever comes until the stream ends
    private long _position; // frames
    private bool _ended;

    private WaveReader(Stream stream, string name, WaveFormat format, long? declaredFrames)
    {
        (_stream, _name, _format, _declaredFrames) = (stream, name, format, declaredFrames);
        _block = new byte[Math.Max(1, (1 << 16) / format.FrameBytes) * format.FrameBytes];
    }

    public int SampleRate => _format.SampleRate;

    public int Channels => _format.Channels;

    public long? RemainingFrames => _stream.CanSeek ? _declaredFrames - _position : null; // a stream's header may promise anything

    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Reads the header, up to the first sample.</summary>
    /// <param name="stream">Stands at the beginning; disposed with the reader.</param>
    /// <param name="name">What messages call the file.</param>
    /// <exception cref="FlamingoException">There is no usable header.</exception>
    public static WaveReader Open(Stream stream, string name)
    {
        var header = new WaveHeader(stream, name);
        var format = header.ReadToData(out long dataBytes, out bool wide);
        long? available = stream.CanSeek ? Math.Max(0, stream.Length - stream.Position) : null;
        bool unwritten = !wide && dataBytes >= UnwrittenLength && (available is null || dataBytes > available);
        if (dataBytes == 0 && !wide)
        {
            // Either truly empty, perhaps with other chunks behind, or written by a recorder that never came back to the header.
            stream = Peek(stream, out byte[] next);
            unwritten = next.Length > 0 && !WaveHeader.IsChunkId(next);
        }
        if (unwritten)
            return new WaveReader(stream, name, format, available / format.FrameBytes);

        long declared = dataBytes / format.FrameBytes;
        if (available is not { } there || dataBytes <= there)
            return new WaveReader(stream, name, format, declared);
        var reader = new WaveReader(stream, name, format, there / format.FrameBytes);
        reader.WarnOfEarlyEnd(declared, there / format.FrameBytes);
        return reader;
    }

    public long Skip(long frames, CancellationToken cancellation)
    {
        long skipped = 0;
        if (_stream.CanSeek && _declaredFrames is { } total)
        {
            skipped = Math.Min(frames, total - _position);
            _stream.Seek(skipped * _format.FrameBytes, SeekOrigin.Current);
            _position += skipped;
            return skipped;
        }
        while (skipped < frames)
        {
            cancellation.ThrowIfCancellationRequested();
            int got = ReadBlock(frames - skipped);
            if (got == 0)
                break;
            skipped += got;
        }
        return skipped;
    }

    public int Read(Span<double> interleaved)
    {
        int done = 0;
        while (interleaved.Length >= (done + 1) * Channels)
        {
            int got = ReadBlock((interleaved.Length / Channels) - done);
            if (got == 0)
                break;
            _format.Decode(_block, interleaved.Slice(done * Channels, got * Channels));
            done += got;
        }
        return done;
    }

    public long CountFrames(CancellationToken cancellation)
    {
        if (_declaredFrames is null)
            Skip(long.MaxValue, cancellation);
        return _declaredFrames ?? _position;
    }

    public void Dispose() => _stream.Dispose();

    // Fills the block with whole frames; the first short one is the end.
    private int ReadBlock(long frames)
    {
        if (_declaredFrames is { } total)
            frames = Math.Min(frames, total - _position);
        int wanted = (int)Math.Min(frames, _block.Length / _format.FrameBytes);
        if (_ended || wanted <= 0)
            return 0;
        int bytes = _stream.ReadAtLeast(_block.AsSpan(0, wanted * _format.FrameBytes), wanted * _format.FrameBytes, throwOnEndOfStream: false);
        int got = bytes / _format.FrameBytes;
        _position += got;
        if (got < wanted)
        {
            _ended = true;
            if (_declaredFrames is { } declared)
                WarnOfEarlyEnd(declared, _position);
            _declaredFrames = _position;
        }
        return got;
    }

    private void WarnOfEarlyEnd(long declared, long found) =>
        _warnings.Add($"'{_name}' declares {(double)declared / SampleRate:0.###} s of sound but ends after {(double)found / SampleRate:0.###} s; what is there was read.");

    private static Stream Peek(Stream stream, out byte[] next)
    {
        byte[] bytes = new byte[4];
        int count = stream.ReadAtLeast(bytes, 4, throwOnEndOfStream: false);
        next = bytes[..count];
        if (!stream.CanSeek)
            return new ReplayStream(next, stream);
        stream.Seek(-count, SeekOrigin.Current);
        return stream;
    }
}

/// <summary>Walks the chunks in front of the samples.</summary>
internal sealed class WaveHeader(Stream stream, string name)
{
    private const int MostFormatBytes = 40;

    /// <summary>Reads on to the first byte of the samples.</summary>
    /// <param name="dataBytes">Length of the samples as declared.</param>
    /// <param name="wide">True where the length comes from a 64-bit header (RF64).</param>
    public WaveFormat ReadToData(out long dataBytes, out bool wide)
    {
        Span<byte> start = stackalloc byte[12];
        if (stream.ReadAtLeast(start, 12, throwOnEndOfStream: false) < 12)
            throw EndsEarly();
        WaveFormat? format = null;
        long? wideBytes = null;
        Span<byte> header = stackalloc byte[8];
        Span<byte> content = stackalloc byte[MostFormatBytes];
        bool odd = false;
        while (true)
        {
            ReadChunkHeader(header, odd);
            uint size = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
            odd = (size & 1) == 1;
            if (header.StartsWith("data"u8))
            {
                wide = size == uint.MaxValue && wideBytes is not null;
                dataBytes = wide ? wideBytes!.Value : size;
                return format ?? throw WaveFormat.Unreadable(name, "no 'fmt ' chunk stands before its samples");
            }
            int kept = (int)Math.Min(size, MostFormatBytes);
            if (header.StartsWith("fmt "u8) && size >= 16)
            {
                ReadExactly(content[..kept]);
                format = WaveFormat.Parse(content[..kept], name);
            }
            else if (header.StartsWith("ds64"u8) && size >= 16)
            {
                ReadExactly(content[..kept]);
                wideBytes = BinaryPrimitives.ReadInt64LittleEndian(content[8..]) is > 0 and var bytes ? bytes : null;
            }
            else
            {
                kept = 0;
            }
            Pass(size - kept);
        }
    }

    /// <summary>True for what can be the name of a chunk that follows the samples.</summary>
    public static bool IsChunkId(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= 4 && (bytes.StartsWith("LIST"u8) || bytes.StartsWith("fact"u8) || bytes.StartsWith("bext"u8) || bytes.StartsWith("id3 "u8)
            || bytes.StartsWith("ID3 "u8) || bytes.StartsWith("cue "u8) || bytes.StartsWith("smpl"u8) || bytes.StartsWith("JUNK"u8)
            || bytes.StartsWith("PEAK"u8) || bytes.StartsWith("iXML"u8) || bytes.StartsWith("_PMX"u8) || bytes.StartsWith("fmt "u8));

    // A chunk of odd size is followed by a zero byte that not every writer writes.
    private void ReadChunkHeader(Span<byte> header, bool afterOdd)
    {
        ReadExactly(header[..1]);
        if (afterOdd && header[0] == 0)
            ReadExactly(header[..1]);
        ReadExactly(header[1..]);
    }

    private void Pass(long bytes)
    {
        if (stream.CanSeek)
        {
            if (bytes > stream.Length - stream.Position)
                throw EndsEarly();
            stream.Seek(bytes, SeekOrigin.Current);
            return;
        }
        byte[] waste = new byte[Math.Min(bytes, 1 << 16)];
        while (bytes > 0)
        {
            int got = stream.Read(waste, 0, (int)Math.Min(bytes, waste.Length));
            if (got == 0)
                throw EndsEarly();
            bytes -= got;
        }
    }

    private void ReadExactly(Span<byte> target)
    {
        if (stream.ReadAtLeast(target, target.Length, throwOnEndOfStream: false) < target.Length)
            throw EndsEarly();
    }

    private FlamingoException EndsEarly() => WaveFormat.Unreadable(name, "it ends before its samples; the file is cut off or its header is damaged");
}
