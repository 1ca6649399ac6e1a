using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Training.Distributed;
using FlamingoSharp.Training.Journals;

namespace FlamingoSharp.Cli.Labels;

/// <summary>The labels of a run on their way to a file. Of several processes each writes a journal; the first brings them together.</summary>
/// <remarks>
/// Process 0 writes <c>FILE.partial</c>, process r <c>FILE.r.partial</c>. What a run has left in whatever journals, the next takes over into
/// the first before anything else, so that it may have another number of processes.
/// </remarks>
internal sealed class LabelJournal : IDisposable
{
    private readonly string _path;
    private readonly LabelWork _work;
    private readonly MpiCommunicator? _mpi;
    private readonly HashSet<LabelKey> _done = [];
    private readonly Journal<LabelWork, LabelLine> _journal;

    private LabelJournal(string path, LabelWork work, bool restart, MpiCommunicator? mpi)
    {
        (_path, _work, _mpi) = (path, work, mpi);
        // Process 0 takes over what the others of an earlier run have left, before these begin anew.
        if (Rank > 0)
            _mpi!.Barrier();
        _journal = Open(Rank == 0 ? path : PartOf(Rank), restart, _done);
        if (Rank == 0)
        {
            TakeOver(restart);
            _mpi?.Barrier();
        }
    }

    /// <summary>Sounds that earlier runs have labelled, as process 0 knows.</summary>
    public int Done => _done.Count;

    private int Rank => _mpi?.Rank ?? 0;

    /// <summary>Begins, or continues what an earlier run of the same work has left.</summary>
    /// <param name="path">The file to be written.</param> <param name="work">What its labels depend on.</param>
    /// <param name="restart">Throws away what is there.</param> <param name="mpi">The processes that share the work; null if there is one.</param>
    /// <exception cref="FlamingoException">The file exists, belongs to other work, cannot be written, or is being written.</exception>
    public static LabelJournal Open(string path, LabelWork work, bool restart, MpiCommunicator? mpi) => new(path, work, restart, mpi);

    /// <summary>Refuses a file that is finished already.</summary>
    /// <exception cref="FlamingoException">It exists, and nothing is left to be continued.</exception>
    public static void CheckFree(string path, bool restart) => Journal<LabelWork, LabelLine>.CheckFree(path, restart);

    /// <summary>The sounds that are left for this process.</summary>
    /// <param name="sounds">All, the same in every process.</param>
    /// <exception cref="FlamingoException">Another process has found other sounds.</exception>
    public IReadOnlyList<LabelKey> Left(IReadOnlyList<LabelKey> sounds)
    {
        bool[] left = [.. sounds.Select(s => !_done.Contains(s))];
        if (_mpi is not null)
        {
            byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', sounds)));
            if (_mpi.Gather(hash).Any(h => !h.AsSpan().SequenceEqual(hash)))
                throw new FlamingoException(FlamingoErrorKind.Input, "The processes of this run do not find the same sounds; the folder must be the same on all machines.");
            _mpi.Broadcast(MemoryMarshal.AsBytes(left.AsSpan()));
        }
        return [.. sounds.Where((_, i) => left[i]).Where((_, i) => i % (_mpi?.Size ?? 1) == Rank)];
    }

    /// <summary>Puts labels on disk.</summary>
    public void Add(IEnumerable<LabelLine> lines) => _journal.Add(lines);

    /// <summary>Makes the file of all labels appear, in the order of the sounds, once every process has come here.</summary>
    /// <param name="sounds">All.</param>
    /// <returns>In process 0, how many sounds could not be read; otherwise 0.</returns>
    /// <exception cref="FlamingoException">What another process has written cannot be found.</exception>
    public int Complete(IReadOnlyList<LabelKey> sounds)
    {
        if (Rank > 0)
        {
            _journal.Dispose(); // process 0 is to read it
            _mpi!.Barrier();
            return 0;
        }
        _mpi?.Barrier();
        TakeOver(restart: false);
        var lines = new Dictionary<LabelKey, LabelLine>();
        foreach (var line in _journal.Entries())
            lines.TryAdd(line.Key, line);
        if (sounds.FirstOrDefault(s => !lines.ContainsKey(s)) is { } missing)
            throw new FlamingoException(FlamingoErrorKind.Input, $"The label of '{missing.File}' by another process is not there; '{_path}' must lie in a folder that all machines share.");
        _journal.Complete(file =>
        {
            foreach (var sound in sounds)
            {
                file.Write(JsonSerializer.SerializeToUtf8Bytes(lines[sound], CliJson.Lines.LabelLine));
                file.WriteByte((byte)'\n');
            }
        });
        return sounds.Count(s => lines[s].Error is not null);
    }

    /// <summary>Keeps what has been made for the next run.</summary>
    public void Dispose() => _journal.Dispose();

    private string PartOf(int rank) => FormattableString.Invariant($"{_path}.{rank}");

    private Journal<LabelWork, LabelLine> Open(string path, bool restart, HashSet<LabelKey> done, Action<LabelLine>? take = null) =>
        Journal<LabelWork, LabelLine>.Open(path, _work, CliJson.Lines.LabelWork, CliJson.Lines.LabelLine, restart, line =>
        {
            if (line.File is null || line.Text is null == line.Error is null)
                return false;
            if (done.Add(line.Key))
                take?.Invoke(line);
            return true;
        });

    // A kill in the middle leaves lines in both; the second one of a sound is not taken.
    private void TakeOver(bool restart)
    {
        foreach (string part in Parts())
        {
            if (!restart)
            {
                var lines = new List<LabelLine>();
                Open(part[..^".partial".Length], restart: false, _done, lines.Add).Dispose();
                _journal.Add(lines);
            }
            File.Delete(part);
        }
    }

    private List<string> Parts()
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(_path))!, name = Path.GetFileName(_path);
        return
        [
            .. Directory.EnumerateFiles(folder, $"{name}.*.partial").Order(StringComparer.Ordinal)
                .Where(p => Path.GetFileName(p)[(name.Length + 1)..^".partial".Length].All(char.IsAsciiDigit)),
        ];
    }
}
