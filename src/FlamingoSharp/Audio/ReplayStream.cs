namespace FlamingoSharp.Audio;

/// <summary>A stream that cannot seek, with bytes put back in front that were read to look at them.</summary>
internal sealed class ReplayStream(byte[] head, Stream rest) : Stream
{
    private int _replayed;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        if (_replayed == head.Length)
            return rest.Read(buffer);
        int count = Math.Min(buffer.Length, head.Length - _replayed);
        head.AsSpan(_replayed, count).CopyTo(buffer);
        _replayed += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            rest.Dispose();
        base.Dispose(disposing);
    }
}
