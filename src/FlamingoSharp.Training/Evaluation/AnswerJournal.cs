using System.Text.Json;
using FlamingoSharp.Hub;
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

    /// <summary>Why there is no answer; null where there is one.</summary>
    public string? Unanswered { get; init; }

    /// <summary>A question without an answer; the next run asks it again.</summary>
    public static AnswerRecord Without(EvaluationQuestion question, string reason) =>
        new(question.Key, question.Id, question.Text, "", 0, false, 0, 0) { Unanswered = reason };
}

/// <summary>The last line of one of several processes that has nothing left to answer.</summary>
internal sealed record AnswersEnd(bool Finished);

/// <summary>
/// The answers of an evaluation, in <c>answers.jsonl</c>, or in <c>answers.I-of-N.jsonl</c> where several processes share the work. Whoever opens
/// it knows the answers of all of them and of earlier runs, and adds to its own.
/// </summary>
internal sealed class AnswerJournal : IDisposable
{
    private const string Pattern = "answers*.jsonl", LockName = "answers.lock";

    private readonly string _folder, _path;
    private readonly Shard _shard;
    private readonly AnswerWork _work;
    private readonly LineJournal _own;
    private readonly Dictionary<string, AnswerRecord> _answers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _failures = new(StringComparer.Ordinal);
    private readonly HashSet<string> _finished = new(StringComparer.Ordinal);

    private AnswerJournal(string folder, Shard shard, AnswerWork work, bool restart)
    {
        (_folder, _shard, _work) = (Path.GetFullPath(folder), shard, work);
        _path = PartOf(shard);
        _own = LineJournal.Open(_path, restart);
    }

    /// <summary>The answers by the keys of their questions.</summary>
    public IReadOnlyDictionary<string, AnswerRecord> Answers => _answers;

    /// <summary>Opens or begins the journal in a folder.</summary>
    /// <param name="folder">Exists.</param> <param name="shard">Which process this is.</param> <param name="work">What the answers depend on.</param>
    /// <param name="restart">Throws away what this process's file holds; in the first process, also the files of those that have shared the work otherwise.</param>
    /// <param name="meet">Waits until all processes are here, where they know of each other: then nobody reads what another is about to throw away.</param>
    /// <exception cref="FlamingoException">A file belongs to other work or is no journal, or another process is writing it.</exception>
    public static AnswerJournal Open(string folder, Shard shard, AnswerWork work, bool restart, Action? meet = null)
    {
        var journal = new AnswerJournal(folder, shard, work, restart);
        try
        {
            if (restart && shard.Index == 0)
                journal.Others().Except(journal.Parts()).ToList().ForEach(File.Delete);
            long good = journal.Take(journal._path, journal._own.Lines());
            journal._own.GoOnAfter(good);
            if (good == 0)
                journal._own.Add(JsonSerializer.SerializeToUtf8Bytes(work, EvaluationJson.Lines.AnswerWork));
            meet?.Invoke();
            journal.ReadOthers();
            return journal;
        }
        catch
        {
            journal.Dispose();
            throw;
        }
    }

    /// <summary>True where a question is answered, and those that follow from the answer are.</summary>
    public bool Has(EvaluationQuestion question) => _answers.TryGetValue(question.Key, out var answer) && question.Next(answer.Answer).All(Has);

    /// <summary>Why a question, or one that follows from its answer, could not be answered; null where it could, or was not tried.</summary>
    public string? FailureOf(EvaluationQuestion question) => _answers.TryGetValue(question.Key, out var answer)
        ? question.Next(answer.Answer).Select(FailureOf).FirstOrDefault(f => f is not null)
        : _failures.GetValueOrDefault(question.Key);

    /// <summary>Puts answers on disk.</summary>
    public void Add(IReadOnlyList<AnswerRecord> answers)
    {
        // What could not be answered before, and for the same reason, is there already.
        _own.Add(answers.Where(a => a.Unanswered is null || a.Unanswered != _failures.GetValueOrDefault(a.Key))
            .Select(a => JsonSerializer.SerializeToUtf8Bytes(a, EvaluationJson.Lines.AnswerRecord)));
        foreach (var answer in answers)
            Know(answer);
    }

    /// <summary>Says that this process has nothing left to answer, and takes in what the others have answered since.</summary>
    /// <returns>True in the last process to say so, and only there.</returns>
    public bool Finish(CancellationToken cancellation)
    {
        if (_shard.Count == 1)
            return true;
        using var turn = FileLock.TakeAsync(Path.Combine(_folder, LockName), null, cancellation).GetAwaiter().GetResult();
        _own.Add(JsonSerializer.SerializeToUtf8Bytes(new AnswersEnd(true), EvaluationJson.Lines.AnswersEnd));
        _finished.Add(_path);
        ReadOthers();
        return Parts().All(_finished.Contains);
    }

    /// <inheritdoc/>
    public void Dispose() => _own.Dispose();

    private string PartOf(Shard shard) => Path.Combine(_folder, shard.Count == 1 ? "answers.jsonl" : $"answers.{shard.Index + 1}-of-{shard.Count}.jsonl");

    private IEnumerable<string> Parts() => Enumerable.Range(0, _shard.Count).Select(i => PartOf(_shard with { Index = i }));

    private void ReadOthers()
    {
        foreach (string path in Others())
            Take(path, LineJournal.Read(path));
    }

    private IEnumerable<string> Others() => Directory.GetFiles(_folder, Pattern).Where(f => f != _path).Order(StringComparer.Ordinal);

    // The number of bytes up to the last whole answer.
    private long Take(string path, IEnumerable<byte[]> lines)
    {
        long good = 0;
        _finished.Remove(path);
        foreach (byte[] line in lines)
        {
            if (good == 0)
            {
                Check(path, line);
            }
            else if (LineJournal.Parse(line, EvaluationJson.Lines.AnswerRecord) is { Key: not null, Answer: not null } answer)
            {
                Know(answer);
            }
            else
            {
                if (LineJournal.Parse(line, EvaluationJson.Lines.AnswersEnd) is { Finished: true })
                    _finished.Add(path);
                break;
            }
            good += line.Length + 1;
        }
        return good;
    }

    private void Know(AnswerRecord answer)
    {
        if (answer.Unanswered is { } reason)
            _failures[answer.Key] = reason;
        else
            _answers[answer.Key] = answer;
    }

    private void Check(string path, byte[] line)
    {
        if (LineJournal.Parse(line, EvaluationJson.Lines.AnswerWork) is not { Format: AnswerWork.CurrentFormat, Generation: not null } before)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{path}' is no journal of answers; name another folder by --out, or add --restart to begin anew.");
        if (_work.DifferenceFrom(before) is { } difference)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"'{path}' was begun by another run: different are {difference}. Name another folder by --out, or add --restart to begin anew.");
        }
    }
}
