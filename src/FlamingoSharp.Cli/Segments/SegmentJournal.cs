using System.Text;
using System.Text.Json;
using FlamingoSharp.Cli.Output;

namespace FlamingoSharp.Cli.Segments;

/// <summary>
/// The captions of a run on their way to a file: each is on disk in <c>FILE.partial</c> before the next one is made, and <c>FILE</c> appears when
/// all are there. The first line of the journal says what the captions belong to, every other one is a caption.
/// </summary>
internal sealed class SegmentJournal : IDisposable
{
    private const byte NewLine = (byte)'\n';

    private readonly string _path;
    private readonly TimedText _form;
    private readonly FileStream _file;
    private bool _isEmpty; // nothing is lost with it

    private SegmentJournal(string path, TimedText form, FileStream file) => (_path, _form, _file) = (path, form, file);

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
        string partial = path + ".partial";
        CheckFree(path, restart);
        FileStream file;
        try
        {
            file = new FileStream(partial, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{partial}' cannot be written, or another run is writing it: {e.Message.TrimEnd('.')}.", e);
        }
        var journal = new SegmentJournal(path, TimedText.ForFile(path)!, file);
        try
        {
            if (restart)
                file.SetLength(0);
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
        Write(JsonSerializer.SerializeToUtf8Bytes(line, CliJson.Lines.AnswerLine));
        Done++;
        _isEmpty = false;
    }

    /// <summary>Makes the file of all captions appear.</summary>
    public void Complete()
    {
        string temporary = _path + ".tmp";
        _file.Position = 0;
        using (var whole = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            whole.Write(Encoding.UTF8.GetBytes(_form.Head));
            using var lines = new StreamReader(_file, leaveOpen: true);
            lines.ReadLine();
            while (lines.ReadLine() is { } line)
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
        _file.Dispose();
    }

    // Reads what is there up to the last whole line; a line that a killed run has not finished is cut off.
    private void Continue(SegmentWork work)
    {
        long good = 0;
        foreach (byte[] line in Lines())
        {
            if (good == 0)
                Check(work, line);
            else if (!Take(line))
                break;
            good += line.Length + 1;
        }
        _file.SetLength(good);
        _file.Position = good;
        _isEmpty = Done == 0;
        if (good == 0)
            Write(JsonSerializer.SerializeToUtf8Bytes(work, CliJson.Lines.SegmentWork));
    }

    private void Check(SegmentWork work, byte[] line)
    {
        if (Read(line, CliJson.Lines.SegmentWork) is not { Generation: not null } before)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{Partial}' is no unfinished run of captions; delete it, or add --restart to write it anew.");
        if (work.DifferenceFrom(before) is { } difference)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"'{Partial}' was begun by another run: different are {difference}. Repeat that command to continue it, or add --restart to begin anew.");
        }
    }

    private bool Take(byte[] line)
    {
        if (Read(line, CliJson.Lines.AnswerLine) is not { End: { } end } caption || caption.Segment != Done)
            return false;
        (Done, DoneSeconds) = (Done + 1, end);
        return true;
    }

    private static T? Read<T>(byte[] line, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) where T : class
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

    private IEnumerable<byte[]> Lines()
    {
        _file.Position = 0;
        var buffered = new BufferedStream(_file, 1 << 16); // not disposed: it would close the file
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

    private void Write(byte[] line)
    {
        _file.Write([.. line, NewLine]);
        _file.Flush(flushToDisk: true);
    }
}
