using FlamingoSharp.Audio;
using FlamingoSharp.Generation;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>A question that could not be answered.</summary>
/// <param name="Id">An item that asks it.</param> <param name="Reason">Why.</param>
internal sealed record Unanswered(string Id, string Reason);

/// <summary>How far an evaluation is.</summary>
/// <param name="Done">Questions answered, by earlier runs too.</param> <param name="Total">Questions of this process.</param>
/// <param name="Answer">The last question and its answer; null at the start.</param>
internal sealed record AnsweringProgress(int Done, int Total, AnswerRecord? Answer);

/// <summary>Answers questions in batches, hearing each sound once, and puts every batch on disk before the next.</summary>
internal sealed class QuestionAnswering(Func<Flamingo> load, GenerationOptions? generation, int batchSize, AnswerJournal journal) : IDisposable
{
    private readonly Dictionary<HeardPart, Sound> _sounds = [];
    private Flamingo? _model;

    /// <summary>Answers those questions that the journal has no answer to, and those that follow; the journal also keeps why one cannot be answered.</summary>
    /// <param name="questions">Those of one sound stand together.</param>
    /// <param name="progress">Told after every batch.</param> <param name="cancellation">Stops; what is answered is kept.</param>
    public void Run(IReadOnlyList<EvaluationQuestion> questions, Action<AnsweringProgress>? progress, CancellationToken cancellation)
    {
        EvaluationQuestion[][] batches = [.. questions.Where(q => !journal.Has(q)).Chunk(batchSize)];
        int done = questions.Count - batches.Sum(b => b.Length);
        progress?.Invoke(new(done, questions.Count, null));
        if (batches.Length == 0)
            return;
        _model = load();
        var next = ReadAhead(batches[0], [], cancellation);
        for (int i = 0; i < batches.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var recordings = next;
            if (i + 1 < batches.Length)
                next = ReadAhead(batches[i + 1], batches[i], cancellation);
            var records = Hear(batches[i], recordings, cancellation);
            AnswerAll(batches[i], records, cancellation);
            journal.Add(records);
            done += batches[i].Length;
            progress?.Invoke(new(done, questions.Count, records is [.., var last] ? last : null));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var sound in _sounds.Values)
            sound.Dispose();
        _model?.Dispose();
    }

    // Files are decoded on another thread while the model answers; those of the batch before are kept.
    private Dictionary<HeardPart, Task<Recording>> ReadAhead(EvaluationQuestion[] batch, EvaluationQuestion[] before, CancellationToken cancellation)
    {
        var reading = new Dictionary<HeardPart, Task<Recording>>();
        Task last = Task.CompletedTask;
        foreach (var part in batch.SelectMany(q => q.Sounds).Except(before.SelectMany(q => q.Sounds)))
            last = reading[part] = last.ContinueWith(_ => Load(part, cancellation), cancellation, TaskContinuationOptions.None, TaskScheduler.Default);
        return reading;
    }

    private Recording Load(HeardPart part, CancellationToken cancellation) =>
        SoundFile.Load(part.Path, SoundOptions.For(_model!.Config.Windows, part.Start, part.Duration), cancellation);

    // Gives the questions whose sounds cannot be heard.
    private List<AnswerRecord> Hear(EvaluationQuestion[] batch, Dictionary<HeardPart, Task<Recording>> recordings, CancellationToken cancellation)
    {
        var failed = new List<AnswerRecord>();
        var needed = batch.SelectMany(q => q.Sounds).ToHashSet();
        foreach (var old in _sounds.Keys.Where(p => !needed.Contains(p)).ToList())
        {
            _sounds.Remove(old, out var sound);
            sound!.Dispose();
        }
        foreach (var part in needed.Where(p => !_sounds.ContainsKey(p)))
        {
            try
            {
                var recording = recordings.TryGetValue(part, out var reading) ? reading.GetAwaiter().GetResult() : Load(part, cancellation);
                _sounds[part] = _model!.Hear(recording, cancellation: cancellation);
            }
            catch (FlamingoException e) when (e.Kind == FlamingoErrorKind.Input)
            {
                failed.AddRange(batch.Where(q => q.Sounds.Contains(part)).Select(q => AnswerRecord.Without(q, e.Message)));
            }
        }
        return failed;
    }

    // A batch, then what follows from its answers while its sounds are still in memory, in batches of the same size.
    private void AnswerAll(EvaluationQuestion[] batch, List<AnswerRecord> records, CancellationToken cancellation)
    {
        var known = new Dictionary<string, AnswerRecord>();
        for (EvaluationQuestion[] level = batch; level.Length > 0;)
        {
            foreach (var part in level.Where(q => !journal.Answers.ContainsKey(q.Key)).DistinctBy(q => q.Key).Chunk(batchSize))
            {
                var answers = Answer([.. part.Where(q => q.Sounds.All(_sounds.ContainsKey))], records, cancellation);
                records.AddRange(answers);
                foreach (var answer in answers)
                    known[answer.Key] = answer;
            }
            level = [.. level.SelectMany(q => (known.GetValueOrDefault(q.Key) ?? journal.Answers.GetValueOrDefault(q.Key)) is { } said ? q.Next(said.Answer) : [])];
        }
    }

    private AnswerRecord[] Answer(EvaluationQuestion[] batch, List<AnswerRecord> failed, CancellationToken cancellation)
    {
        List<EvaluationQuestion> asked = [.. batch.Where(q => Fits(q, failed))];
        if (asked.Count == 0)
            return [];
        var answers = _model!.Answer([.. asked.Select(q => new Question(q.Prompt, [.. q.Sounds.Select(s => _sounds[s])]))], generation, cancellation);
        var likeliest = Choose([.. asked.Where(q => q.Choices.Count > 1)], cancellation);
        return [.. asked.Zip(answers).Select(p => new AnswerRecord(
            p.First.Key, p.First.Id, p.First.Text, p.Second.Text, p.Second.Candidates[0].Tokens, p.Second.Candidates[0].Finish == FinishReason.Length,
            Math.Round(p.Second.SecondsHeard, 3), Math.Round(p.Second.SecondsDropped, 3))
        {
            Likeliest = likeliest.GetValueOrDefault(p.First.Key),
        })];
    }

    private Dictionary<string, string> Choose(EvaluationQuestion[] asked, CancellationToken cancellation)
    {
        if (asked.Length == 0)
            return [];
        var choices = _model!.Choose(
            [.. asked.Select(q => new ChoiceQuestion(new Question(q.Prompt, [.. q.Sounds.Select(s => _sounds[s])]), q.Choices))], cancellation: cancellation);
        return asked.Zip(choices).ToDictionary(p => p.First.Key, p => p.Second.Text);
    }

    private bool Fits(EvaluationQuestion question, List<AnswerRecord> failed)
    {
        try
        {
            question.Prompt.EncodeFor(_model!.Tokenizer, _model.Config.Language.MaxPositions);
            return true;
        }
        catch (FlamingoException e) when (e.Kind == FlamingoErrorKind.Usage)
        {
            failed.Add(AnswerRecord.Without(question, e.Message));
            return false;
        }
    }
}
