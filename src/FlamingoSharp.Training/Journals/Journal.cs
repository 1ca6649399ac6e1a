using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Training.Journals;

/// <summary>
/// The results of a long run on their way to a file: they are on disk in <c>FILE.partial</c> before the next ones are made, and <c>FILE</c>
/// appears when all are there. The first line of the journal says what the results depend on, every other one is a result.
/// </summary>
/// <typeparam name="TWork">What the results depend on.</typeparam> <typeparam name="TEntry">A result.</typeparam>
internal sealed class Journal<TWork, TEntry> : IDisposable
    where TWork : class, IJournalWork<TWork>
    where TEntry : class
{
    private readonly string _path;
    private readonly LineJournal _lines;
    private readonly JsonTypeInfo<TWork> _workType;
    private readonly JsonTypeInfo<TEntry> _entryType;
    private bool _isEmpty; // nothing is lost with it

    private Journal(string path, LineJournal lines, JsonTypeInfo<TWork> workType, JsonTypeInfo<TEntry> entryType) =>
        (_path, _lines, _workType, _entryType) = (path, lines, workType, entryType);

    private string Partial => PartialOf(_path);

    /// <summary>Where a file's results lie until all are there.</summary>
    public static string PartialOf(string path) => path + ".partial";

    /// <summary>Refuses a file that is finished already.</summary>
    /// <exception cref="FlamingoException">It exists, and nothing is left to be continued.</exception>
    public static void CheckFree(string path, bool restart)
    {
        if (File.Exists(path) && !File.Exists(PartialOf(path)) && !restart)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{path}' exists already; name another file, or add --restart to write it anew.");
    }

    /// <summary>Begins, or continues what an earlier run of the same work has left.</summary>
    /// <param name="path">The file to be written.</param> <param name="work">What its results depend on.</param>
    /// <param name="workType">How the first line is written.</param> <param name="entryType">How the others are.</param>
    /// <param name="restart">Throws away what is there.</param>
    /// <param name="take">Shown every result of the earlier run in order; says false to one that cannot be right: it and all after it are dropped.</param>
    /// <exception cref="FlamingoException">The file exists, belongs to other work, cannot be written, or is being written.</exception>
    public static Journal<TWork, TEntry> Open(
        string path, TWork work, JsonTypeInfo<TWork> workType, JsonTypeInfo<TEntry> entryType, bool restart, Func<TEntry, bool> take)
    {
        CheckFree(path, restart);
        var journal = new Journal<TWork, TEntry>(path, LineJournal.Open(PartialOf(path), restart), workType, entryType);
        try
        {
            journal.Continue(work, take);
            return journal;
        }
        catch
        {
            journal.Dispose();
            throw;
        }
    }

    /// <summary>Puts results on disk, all of them before it returns.</summary>
    public void Add(params IEnumerable<TEntry> entries)
    {
        List<byte[]> lines = [.. entries.Select(e => JsonSerializer.SerializeToUtf8Bytes(e, _entryType))];
        _lines.Add(lines);
        _isEmpty &= lines.Count == 0;
    }

    /// <summary>Every result that is on disk, in the order in which they were made; to be read to the end before the next is added.</summary>
    public IEnumerable<TEntry> Entries() => _lines.Lines().Skip(1).Select(l => JsonSerializer.Deserialize(l, _entryType)!);

    /// <summary>Makes the file appear, whole, and the journal go.</summary>
    /// <param name="write">Writes the file.</param>
    public void Complete(Action<FileStream> write)
    {
        AtomicFile.Write(_path, write);
        File.Delete(Partial);
    }

    /// <summary>Keeps what has been made for the next run.</summary>
    public void Dispose()
    {
        if (_isEmpty)
            File.Delete(Partial);
        _lines.Dispose();
    }

    // Reads what is there up to the last whole line; a line that a killed run has not finished is cut off.
    private void Continue(TWork work, Func<TEntry, bool> take)
    {
        long good = 0;
        bool empty = true;
        foreach (byte[] line in _lines.Lines())
        {
            if (good == 0)
                Check(work, line);
            else if (LineJournal.Parse(line, _entryType) is not { } entry || !take(entry))
                break;
            else
                empty = false;
            good += line.Length + 1;
        }
        _lines.GoOnAfter(good);
        _isEmpty = empty;
        if (good == 0)
            _lines.Add(JsonSerializer.SerializeToUtf8Bytes(work, _workType));
    }

    private void Check(TWork work, byte[] line)
    {
        if (LineJournal.Parse(line, _workType) is not { } before || !before.IsWhole())
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{Partial}' is no unfinished {TWork.Noun}; delete it, or add --restart to write it anew.");
        if (work.DifferenceFrom(before) is { } difference)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"'{Partial}' was begun by another run: different are {difference}. Repeat that command to continue it, or add --restart to begin anew.");
        }
    }
}
