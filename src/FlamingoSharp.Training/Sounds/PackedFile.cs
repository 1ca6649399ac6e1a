using System.Text;
using System.Text.Json;

namespace FlamingoSharp.Training.Sounds;

/// <summary>
/// Appends to a packed data file and its index (one JSON line an entry). Data is on disk before its line is, so an interrupted
/// run leaves at most unlisted data at the end, and the next run cuts that off and goes on.
/// </summary>
internal sealed class PackedFile : IDisposable
{
    private readonly FileStream _data, _index;
    private readonly int _itemBytes;

    private PackedFile(FileStream data, FileStream index, int itemBytes, Dictionary<string, StoreLine> entries) =>
        (_data, _index, _itemBytes, Entries) = (data, index, itemBytes, entries);

    /// <summary>What is already there, by id.</summary>
    public Dictionary<string, StoreLine> Entries { get; }

    /// <summary>Opens a store for appending, or begins one.</summary>
    /// <exception cref="FlamingoException">The folder holds a store made with other settings.</exception>
    public static PackedFile OpenForAppend(string dataPath, string indexPath, StoreHeader header, int itemBytes)
    {
        FileStream? data = null, index = null;
        try
        {
            // No sharing: two runs into one folder would overwrite each other.
            index = new(indexPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
            data = new(dataPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 1 << 20);
            var (found, lines, length) = ReadIndex(index, data.Length / itemBytes);
            if (found is null)
            {
                index.SetLength(0);
                index.Write(Line(JsonSerializer.Serialize(header, SoundJson.Default.StoreHeader)));
            }
            else if (found != header)
            {
                throw new FlamingoException(FlamingoErrorKind.Usage,
                    $"'{indexPath}' was made with other settings ({found.Format} {found.Version}: {found.Settings}; now {header.Version}: {header.Settings}): choose an empty folder, or the same settings.");
            }
            else
            {
                index.SetLength(length);
            }
            index.Position = index.Length;
            data.SetLength(lines.Count == 0 ? 0 : lines.Max(l => l.Offset + l.Count) * itemBytes);
            data.Position = data.Length;
            return new(data, index, itemBytes, lines.ToDictionary(l => l.Id));
        }
        catch
        {
            data?.Dispose();
            index?.Dispose();
            throw;
        }
    }

    /// <summary>Reads a finished or unfinished store's index.</summary>
    /// <exception cref="FlamingoException">There is no such store, or it is of another format.</exception>
    public static (StoreHeader Header, IReadOnlyList<StoreLine> Lines) ReadIndex(string dataPath, string indexPath, string format, int itemBytes)
    {
        if (!File.Exists(indexPath) || !File.Exists(dataPath))
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{indexPath}' does not exist: prepare the sounds first.");
        using FileStream index = new(indexPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var (header, lines, _) = ReadIndex(index, new FileInfo(dataPath).Length / itemBytes);
        return header?.Format == format ? (header, lines) : throw new FlamingoException(FlamingoErrorKind.Input,
            $"'{indexPath}' is no index of {format}: it begins with {header?.Format ?? "something else"}.");
    }

    /// <summary>Adds an entry.</summary>
    public void Append(string id, string split, ReadOnlySpan<byte> items, bool cut)
    {
        StoreLine line = new(id, split, _data.Position / _itemBytes, items.Length / _itemBytes, cut);
        _data.Write(items);
        _data.Flush();
        _index.Write(Line(JsonSerializer.Serialize(line, SoundJson.Default.StoreLine)));
        _index.Flush();
        Entries.Add(id, line);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _data.Dispose();
        _index.Dispose();
    }

    private static byte[] Line(string text) => Encoding.UTF8.GetBytes(text + "\n");

    // Lines count up to the first that is torn or points beyond the data.
    private static (StoreHeader? Header, List<StoreLine> Lines, long Length) ReadIndex(FileStream index, long items)
    {
        byte[] bytes = new byte[index.Length];
        index.Position = 0;
        index.ReadExactly(bytes);
        StoreHeader? header = null;
        List<StoreLine> lines = [];
        int at = 0;
        for (int end; (end = bytes.AsSpan(at).IndexOf((byte)'\n')) >= 0; at += end + 1)
        {
            try
            {
                if (header is null)
                {
                    header = JsonSerializer.Deserialize(bytes.AsSpan(at, end), SoundJson.Default.StoreHeader);
                }
                else
                {
                    var line = JsonSerializer.Deserialize(bytes.AsSpan(at, end), SoundJson.Default.StoreLine);
                    if (line is null || line.Offset + line.Count > items)
                        break;
                    lines.Add(line);
                }
            }
            catch (JsonException)
            {
                break;
            }
        }
        return (header, lines, at);
    }
}
