using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Win32.SafeHandles;

namespace FlamingoSharp.Training.Journals;

/// <summary>
/// A file that grows by lines of JSON and outlives a killed run: what was added is on disk when <see cref="Add"/> returns, and a line that a killed
/// run has not finished is cut off. One process writes it at a time, and only that one cuts; others may read it meanwhile.
/// </summary>
internal sealed partial class LineJournal : IDisposable
{
    private const byte NewLine = (byte)'\n';
    private const int ReadOnly = 0, CloseOnExec = 0x80000; // O_RDONLY, O_CLOEXEC of Linux

    private readonly FileStream _file;

    private LineJournal(FileStream file) => _file = file;

    /// <summary>Opens a file, or makes it.</summary>
    /// <param name="path">The file; its folder exists.</param> <param name="restart">Throws away what is there.</param>
    /// <exception cref="FlamingoException">It cannot be written, or another process is writing it.</exception>
    public static LineJournal Open(string path, bool restart = false)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{path}' cannot be written, or another run is writing it: {e.Message.TrimEnd('.')}.", e);
        }
        if (restart)
            file.SetLength(0);
        return new(file);
    }

    /// <summary>The whole lines of a file as it stands, though another process may be adding to it: what follows the last line's end is not written yet.</summary>
    /// <exception cref="FlamingoException">It cannot be read.</exception>
    public static IReadOnlyList<byte[]> Read(string path)
    {
        // .NET locks every file that it opens: the writer would refuse this reader, or this reader the writer that is just coming.
        int opened = OpenWithoutLock(path, ReadOnly | CloseOnExec);
        if (opened < 0)
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}' cannot be read: {Marshal.GetLastPInvokeErrorMessage().TrimEnd('.')}.");
        using var file = new FileStream(new SafeFileHandle(opened, ownsHandle: true), FileAccess.Read, bufferSize: 0);
        return [.. Lines(file)];
    }

    /// <summary>A line as what it stands for; null where it is no JSON of that form.</summary>
    public static T? Parse<T>(byte[] line, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(line, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The whole lines, from the first.</summary>
    public IEnumerable<byte[]> Lines() => Lines(_file);

    /// <summary>Keeps a number of bytes, and goes on after them.</summary>
    public void GoOnAfter(long bytes)
    {
        _file.SetLength(bytes);
        _file.Position = bytes;
    }

    /// <summary>Puts lines on disk, all of them or (if the process is killed meanwhile) the first few.</summary>
    public void Add(params IEnumerable<byte[]> lines)
    {
        using var block = new MemoryStream();
        foreach (byte[] line in lines)
        {
            block.Write(line);
            block.WriteByte(NewLine);
        }
        _file.Write(block.GetBuffer(), 0, (int)block.Length);
        _file.Flush(flushToDisk: true);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static IEnumerable<byte[]> Lines(FileStream file)
    {
        file.Position = 0;
        var buffered = new BufferedStream(file, 1 << 16); // not disposed: it would close the file
        using var line = new MemoryStream();
        for (int next; (next = buffered.ReadByte()) >= 0;)
        {
            if (next != NewLine)
            {
                line.WriteByte((byte)next);
                continue;
            }
            yield return line.ToArray();
            line.SetLength(0);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int OpenWithoutLock(string path, int flags);
}
