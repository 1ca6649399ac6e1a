using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace FlamingoSharp.Training.Journals;

/// <summary>
/// A file that grows by lines of JSON and outlives a killed run: what was added is on disk when <see cref="Add"/> returns, and a line that a killed
/// run has not finished is cut off. One process writes it at a time.
/// </summary>
internal sealed class LineJournal : IDisposable
{
    private const byte NewLine = (byte)'\n';

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

    /// <summary>The whole lines of a journal that nobody is writing; null where somebody is.</summary>
    public static IReadOnlyList<byte[]>? TryRead(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            return [.. Lines(file)];
        }
        catch (IOException e) when (e.GetType() == typeof(IOException))
        {
            return null;
        }
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
}
