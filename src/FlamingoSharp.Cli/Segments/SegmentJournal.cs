using System.Text;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Training.Journals;

namespace FlamingoSharp.Cli.Segments;

/// <summary>The captions of a run over segments, in a <see cref="Journal{TWork, TEntry}"/>, on their way to a file of some <see cref="TimedText"/>.</summary>
internal sealed class SegmentJournal : IDisposable
{
    private readonly TimedText _form;
    private readonly Journal<SegmentWork, AnswerLine> _journal;

    private SegmentJournal(string path, SegmentWork work, bool restart)
    {
        _form = TimedText.ForFile(path)!;
        _journal = Journal<SegmentWork, AnswerLine>.Open(path, work, CliJson.Lines.SegmentWork, CliJson.Lines.AnswerLine, restart, Take);
    }

    /// <summary>Captions that an earlier run has made.</summary>
    public int Done { get; private set; }

    /// <summary>Where the last of them ends, in seconds.</summary>
    public double DoneSeconds { get; private set; }

    /// <summary>Begins, or continues what an earlier run of the same work has left.</summary>
    /// <param name="path">The file to be written; its ending chooses the form.</param> <param name="work">What its captions depend on.</param>
    /// <param name="restart">Throws away what is there.</param>
    /// <exception cref="FlamingoException">The file exists, belongs to other work, cannot be written, or is being written.</exception>
    public static SegmentJournal Open(string path, SegmentWork work, bool restart) => new(path, work, restart);

    /// <summary>Refuses a file that is finished already.</summary>
    /// <exception cref="FlamingoException">It exists, and nothing is left to be continued.</exception>
    public static void CheckFree(string path, bool restart) => Journal<SegmentWork, AnswerLine>.CheckFree(path, restart);

    /// <summary>Puts a caption on disk.</summary>
    public void Add(AnswerLine line)
    {
        _journal.Add(line);
        Done++;
    }

    /// <summary>Makes the file of all captions appear.</summary>
    public void Complete() => _journal.Complete(whole =>
    {
        whole.Write(Encoding.UTF8.GetBytes(_form.Head));
        foreach (var line in _journal.Entries())
            whole.Write(Encoding.UTF8.GetBytes(_form.Format(line)));
    });

    /// <summary>Keeps what has been made for the next run.</summary>
    public void Dispose() => _journal.Dispose();

    private bool Take(AnswerLine line)
    {
        if (line.End is not { } end || line.Segment != Done)
            return false;
        (Done, DoneSeconds) = (Done + 1, end);
        return true;
    }
}
