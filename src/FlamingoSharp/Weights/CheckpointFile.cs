using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace FlamingoSharp.Weights;

/// <summary>A checkpoint's file, open for reading at any offset; every failure names the file and the byte.</summary>
internal sealed class CheckpointFile : IDisposable
{
    private readonly SafeFileHandle _handle;

    /// <summary>Opens a file.</summary>
    /// <exception cref="FlamingoException">The file is missing, empty or cannot be opened.</exception>
    public CheckpointFile(string path)
    {
        Path = path;
        if (!File.Exists(path))
            throw new FlamingoException(FlamingoErrorKind.Model, $"{path}: there is no such file.");
        try
        {
            _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            Length = RandomAccess.GetLength(_handle);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _handle?.Dispose();
            throw new FlamingoException(FlamingoErrorKind.Model, $"{path}: cannot be opened: {e.Message}", e);
        }
        if (Length == 0)
        {
            _handle.Dispose();
            throw new FlamingoException(FlamingoErrorKind.Model, $"{path}: the file is empty (0 bytes); download or copy it again.");
        }
    }

    /// <summary>The path as given.</summary>
    public string Path { get; }

    /// <summary>Size in bytes.</summary>
    public long Length { get; }

    /// <summary>Fills a buffer from an offset.</summary>
    /// <exception cref="FlamingoException">The file ends before the buffer is full, or cannot be read.</exception>
    public void Read(long offset, Span<byte> buffer)
    {
        if (offset < 0 || offset > Length - buffer.Length)
            throw Corrupt(Math.Clamp(offset, 0, Length), $"{buffer.Length} bytes were expected here, but the file ends at {Length}; it is cut off");
        try
        {
            while (buffer.Length > 0)
            {
                int read = RandomAccess.Read(_handle, buffer, offset);
                if (read == 0)
                    throw Corrupt(offset, "the file became shorter while it was read");
                buffer = buffer[read..];
                offset += read;
            }
        }
        catch (IOException e)
        {
            throw new FlamingoException(FlamingoErrorKind.Model, $"{Path}: byte {Number(offset)}: {e.Message}", e);
        }
    }

    /// <summary>The error of a file that is not what it claims to be.</summary>
    public FlamingoException Corrupt(long offset, string what, Exception? inner = null) =>
        new(FlamingoErrorKind.Model, $"{Path}: byte {Number(offset)}: {what}.", inner);

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
