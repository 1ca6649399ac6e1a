using System.Text;
using System.Text.Json;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Training.Journals;

namespace FlamingoSharp.Cli.Segments;

/// <summary>
/// The captions of a run on their way to a file: each is on disk in <c>FILE.partial</c> before the next one is made, and <c>FILE</c> appears when
/// all are there. The first line of the journal says what the captions belong to, every other one is a caption.
/// </summary>
internal sealed class SegmentJournal : IDisposable
{
    private readonly string _path;
    private readonly TimedText _form;
    private readonly LineJournal _lines;
    private bool _isEmpty; // nothing is lost with it

    private SegmentJournal(string path, TimedText form, LineJournal lines) => (_path, _form, _lines) = (path, form, lines);

    /// <summary>Captions that an earlier run has made.</summary>
    public int Done { get; private set; }

    /// <summary>Where the last of them ends, in seconds.</summary>
    public double DoneSeconds { get; private set; }

    private string Partial => _path + ".partial";

    /// <summary>Begins, or continues what an earlier run of the same work has left.</summary>
    /// <param name="path">The file to be written; its ending chooses the form.</param> <param name="work">What its captions depend on.</param>
    /// <param name="restart">Throws away what is there.</param>
    /// <exception cref="FlamingoException">The file exists, belongs to other work, cannot be written, or is being written.</exception>
    public static SegmentJournal Open(string path, SegmentWork work, bool restart)
    {
        CheckFree(path, restart);
        var journal = new SegmentJournal(path, TimedText.ForFile(path)!, LineJournal.Open(path + ".partial", restart));
        try
        {
            journal.Continue(work);
            return journal;
        }
        catch
        {
            journal.Dispose();
            throw;
        }
    }

    /// <summary>Refuses a file that is finished already.</summary>
    /// <exception cref="FlamingoException">It exists, and nothing is left to be continued.</exception>
    public static void CheckFree(string path, bool restart)
    {
        if (File.Exists(path) && !File.Exists(path + ".partial") && !restart)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{path}' exists already; name another file, or add --restart to write it anew.");
    }

    /// <summary>Puts a caption on disk.</summary>
    public void Add(AnswerLine line)
    {
        _lines.Add(JsonSerializer.SerializeToUtf8Bytes(line, CliJson.Lines.AnswerLine));
        Done++;
        _isEmpty = false;
    }

    /// <summary>Makes the file of all captions appear.</summary>
    public void Complete()
    {
        string temporary = _path + ".tmp";
        using (var whole = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            whole.Write(Encoding.UTF8.GetBytes(_form.Head));
            foreach (byte[] line in _lines.Lines().Skip(1))
                whole.Write(Encoding.UTF8.GetBytes(_form.Format(JsonSerializer.Deserialize(line, CliJson.Lines.AnswerLine)!)));
            whole.Flush(flushToDisk: true);
        }
        File.Move(temporary, _path, overwrite: true);
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
    private void Continue(SegmentWork work)
    {
        long good = 0;
        foreach (byte[] line in _lines.Lines())
        {
            if (good == 0)
                Check(work, line);
            else if (!Take(line))
                break;
            good += line.Length + 1;
        }
        _lines.GoOnAfter(good);
        _isEmpty = Done == 0;
        if (good == 0)
            _lines.Add(JsonSerializer.SerializeToUtf8Bytes(work, CliJson.Lines.SegmentWork));
    }

    private void Check(SegmentWork work, byte[] line)
    {
        if (LineJournal.Parse(line, CliJson.Lines.SegmentWork) is not { Generation: not null } before)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{Partial}' is no unfinished run of captions; delete it, or add --restart to write it anew.");
        if (work.DifferenceFrom(before) is { } difference)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"'{Partial}' was begun by another run: different are {difference}. Repeat that command to continue it, or add --restart to begin anew.");
        }
    }

    private bool Take(byte[] line)
    {
        if (LineJournal.Parse(line, CliJson.Lines.AnswerLine) is not { End: { } end } caption || caption.Segment != Done)
            return false;
        (Done, DoneSeconds) = (Done + 1, end);
        return true;
    }
}
