using System.Text.Json;
using FlamingoSharp.Training.Journals;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>What the answers of a journal depend on, besides their questions: its first line.</summary>
/// <param name="Format">Names the form of the file.</param> <param name="Model">SHA-256 of the weights.</param>
/// <param name="Generation">How answers are generated.</param> <param name="Dtype">The element type.</param>
/// <param name="MaxWindows">Windows heard at most, where that is not the model's own number.</param>
internal sealed record AnswerWork(string Format, string Model, GenerationFacts Generation, string Dtype, int? MaxWindows)
{
    public const string CurrentFormat = "flamingo-answers/1";

    /// <summary>What differs, in words; null where nothing does.</summary>
    public string? DifferenceFrom(AnswerWork other)
    {
        (string What, bool Same)[] parts =
        [
            ("the model", Model == other.Model), ("how answers are generated", Generation == other.Generation), ("--dtype", Dtype == other.Dtype),
            ("--max-windows", MaxWindows == other.MaxWindows),
        ];
        string[] different = [.. parts.Where(p => !p.Same).Select(p => p.What)];
        return different.Length == 0 ? null : string.Join(", ", different);
    }
}

/// <summary>An answer as a journal keeps it, a line each.</summary>
/// <param name="Key">The question, <see cref="EvaluationQuestion.Key"/>.</param> <param name="Id">An item that asks it.</param>
/// <param name="Prompt">What the model read.</param> <param name="Answer">What it said.</param> <param name="Tokens">Tokens generated.</param>
/// <param name="CutOff">True where the answer reached the most tokens allowed.</param>
/// <param name="SecondsHeard">Seconds of sound heard.</param> <param name="SecondsDropped">Seconds that did not fit the model.</param>
internal sealed record AnswerRecord(
    string Key, string Id, string Prompt, string Answer, int Tokens, bool CutOff, double SecondsHeard, double SecondsDropped)
{
    /// <summary>The choice that the model finds likeliest; null where there is nothing to choose from.</summary>
    public string? Likeliest { get; init; }
}

/// <summary>
/// The answers of an evaluation, in <c>answers.jsonl</c>, or in <c>answers.I-of-N.jsonl</c> where several processes share the work. Whoever opens
/// it knows the answers of all of them and of earlier runs, and adds to its own.
/// </summary>
internal sealed class AnswerJournal : IDisposable
{
    private const string Pattern = "answers*.jsonl";

    private readonly string _path;
    private readonly LineJournal _own;
    private readonly Dictionary<string, AnswerRecord> _answers = new(StringComparer.Ordinal);

    private AnswerJournal(string path, LineJournal own) => (_path, _own) = (path, own);

    /// <summary>The answers by the keys of their questions.</summary>
    public IReadOnlyDictionary<string, AnswerRecord> Answers => _answers;

    /// <summary>Opens or begins the journal in a folder.</summary>
    /// <param name="folder">Exists.</param> <param name="shard">Which process this is.</param> <param name="work">What the answers depend on.</param>
    /// <param name="restart">Throws away what this process's file holds; of a process that does everything, all files.</param>
    /// <exception cref="FlamingoException">A file belongs to other work or is no journal, or another process is writing it.</exception>
    public static AnswerJournal Open(string folder, Shard shard, AnswerWork work, bool restart)
    {
        string path = Path.Combine(Path.GetFullPath(folder), shard.Count == 1 ? "answers.jsonl" : $"answers.{shard.Index + 1}-of-{shard.Count}.jsonl");
        var own = LineJournal.Open(path, restart);
        var journal = new AnswerJournal(path, own);
        try
        {
            if (restart && shard.Count == 1)
                journal.Others().ToList().ForEach(File.Delete);
            journal.ReadOthers(work);
            long good = journal.Take(path, own.Lines(), work);
            own.GoOnAfter(good);
            if (good == 0)
                own.Add(JsonSerializer.SerializeToUtf8Bytes(work, EvaluationJson.Lines.AnswerWork));
            return journal;
        }
        catch
        {
            journal.Dispose();
            throw;
        }
    }

    /// <summary>Lets go of the own file, so that other processes can read it, and takes in what they have answered since.</summary>
    /// <remarks>In this order: of two processes that finish at once at least one then sees the other's answers.</remarks>
    public void Finish(AnswerWork work)
    {
        _own.Dispose();
        ReadOthers(work);
    }

    /// <summary>Puts answers on disk.</summary>
    public void Add(IReadOnlyList<AnswerRecord> answers)
    {
        _own.Add(answers.Select(a => JsonSerializer.SerializeToUtf8Bytes(a, EvaluationJson.Lines.AnswerRecord)));
        foreach (var answer in answers)
            _answers[answer.Key] = answer;
    }

    /// <inheritdoc/>
    public void Dispose() => _own.Dispose();

    // A file that is being written will be read by its writer's end.
    private void ReadOthers(AnswerWork work)
    {
        foreach (string path in Others())
            Take(path, LineJournal.TryRead(path) ?? [], work);
    }

    private IEnumerable<string> Others() => Directory.GetFiles(Path.GetDirectoryName(_path)!, Pattern).Where(f => f != _path).Order(StringComparer.Ordinal);

    // The number of bytes up to the last whole answer.
    private long Take(string path, IEnumerable<byte[]> lines, AnswerWork work)
    {
        long good = 0;
        foreach (byte[] line in lines)
        {
            if (good == 0)
                Check(path, line, work);
            else if (LineJournal.Parse(line, EvaluationJson.Lines.AnswerRecord) is { Key: not null, Answer: not null } answer)
                _answers[answer.Key] = answer;
            else
                break;
            good += line.Length + 1;
        }
        return good;
    }

    private static void Check(string path, byte[] line, AnswerWork work)
    {
        if (LineJournal.Parse(line, EvaluationJson.Lines.AnswerWork) is not { Format: AnswerWork.CurrentFormat, Generation: not null } before)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{path}' is no journal of answers; name another folder by --out, or add --restart to begin anew.");
        if (work.DifferenceFrom(before) is { } difference)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"'{path}' was begun by another run: different are {difference}. Name another folder by --out, or add --restart to begin anew.");
        }
    }
}
