using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Generation;
using FlamingoSharp.Retrieval;
using FlamingoSharp.Text;

namespace FlamingoSharp.Cli;

/// <summary>What is asked of each file.</summary>
/// <param name="Task">Makes the task from the labels; these are null where there are none.</param>
internal sealed record AnswerWork(Func<IReadOnlyList<string>?, TaskPrompt> Task)
{
    /// <summary>The labels to choose from, which examples must have too; null for a free question, or where the examples say which there are.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>True takes the labels of the index (or of the hand-picked examples) where <see cref="Labels"/> is null.</summary>
    public bool LabelsOfExamples { get; init; }

    /// <summary>False asks with the labels but takes any answer.</summary>
    public bool MatchLabels { get; init; } = true;

    /// <summary>Answers to choose from that are no labels: an answer is matched with them; null where there are none.</summary>
    public IReadOnlyList<string>? MatchedOptions { get; init; }

    /// <summary>True also says what the neighbours in the index alone would answer.</summary>
    public bool Vote { get; init; }

    /// <summary>Whether the model is to reason first.</summary>
    public bool Think { get; init; }

    /// <summary>How one of the task's answers is chosen; null lets the model generate one.</summary>
    public ChoiceOptions? Choice { get; init; }

    /// <summary>Whether the probabilities of all answers are printed.</summary>
    public bool ShowScores { get; init; }
}

/// <summary>What caption, ask and classify share: the same task on one file after another, in batches.</summary>
internal sealed class AnswerRun
{
    private readonly IndexOptions _encoder = new();
    private readonly RerankOptions _rerank = new();
    private readonly ShotOptions? _shots;

    /// <param name="shots">Whether examples may be shown first.</param>
    public AnswerRun(bool shots = false) => _shots = shots ? new ShotOptions(_encoder) : null;

    public RunOptions Options { get; } = new();

    public void AddTo(Command command)
    {
        Options.AddTo(command);
        _shots?.AddTo(command);
        _rerank.AddTo(command);
        _encoder.AddTo(command);
    }

    /// <summary>Whether a command line, as far as it is read, names examples.</summary>
    public bool HasExamples(SymbolResult command) => _shots?.IsAsked(command) == true;

    /// <summary>An option <c>--think</c>, for verbs whose answers may be reasoned out.</summary>
    public static Option<bool> Think() => new("--think")
    {
        Description = "Let a chain-of-thought model of Audio Flamingo 2 reason first; the reasoning goes to standard error, or into JSON fields.",
    };

    /// <summary>Answers for every file; goes on after a bad one.</summary>
    /// <param name="parse">The command line.</param> <param name="work">What is asked.</param> <param name="arguments">Files and patterns.</param>
    /// <param name="cancellation">Ctrl-C.</param>
    /// <returns>0, or the exit code of the first error.</returns>
    public async Task<int> RunAsync(ParseResult parse, AnswerWork work, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        bool rerank = _rerank.IsAsked(parse);
        Options.Answering.Read(parse, rerank: rerank); // contradictions are said before anything is loaded
        if (work.Think && (rerank || _shots?.IsAsked(parse) == true))
            throw new FlamingoException(FlamingoErrorKind.Usage, "--think goes neither with examples nor with --rerank; leave one of them out.");
        if (work.Choice is not null && rerank)
            throw new FlamingoException(FlamingoErrorKind.Usage, "--rerank has no effect where the likeliest of the given answers is taken; add --generate, or leave --rerank out.");
        var files = InputFiles.Expand(arguments);
        using var flamingo = Options.Model.Load(parse);
        using var judge = rerank ? OpenJudge(parse, flamingo) : null;
        using var shots = _shots is null ? null : await _shots.OpenAsync(parse, Options.Model, flamingo, cancellation).ConfigureAwait(false);
        var labels = work.Labels ?? (work.LabelsOfExamples && shots is not null ? await shots.LabelsAsync(cancellation).ConfigureAwait(false) : null);
        var task = work.Task(labels);

        var own = flamingo.Config.Generation;
        var generation = Options.Answering.Read(parse, work.Think ? own with { MaxNewTokens = GenerationOptions.ThinkingTokens } : own, rerank);
        var single = work.Think ? flamingo.Config.Prompts.AskToThink(task) : flamingo.Config.Prompts.Ask(task);
        single.EncodeFor(flamingo.Tokenizer, flamingo.Config.Language.MaxPositions); // too long is said once, before anything is heard
        bool show = parse.GetValue(Options.ShowPrompt);
        if (show && shots is null && !parse.GetValue(Options.Json))
            Console.Error.WriteLine(single.Show(flamingo.Tokenizer));
        var printer = new AnswerPrinter(Options, parse, flamingo, generation)
        {
            Labels = work.MatchedOptions ?? (work.MatchLabels && labels is not null ? task.Answers : null), // in the order of the prompt
            ShowPrompt = show,
            NameFiles = files.Count > 1,
            Threshold = rerank ? _rerank.ThresholdOf(parse) : null,
            ShowScores = work.ShowScores,
        };

        int code = ExitCode.Ok;
        foreach (string[] batch in files.Chunk(parse.GetValue(Options.Batch)))
        {
            var asked = new List<AskedFile>();
            try
            {
                foreach (string file in batch)
                {
                    cancellation.ThrowIfCancellationRequested();
                    try
                    {
                        asked.Add(await AskAsync(file).ConfigureAwait(false));
                    }
                    catch (FlamingoException e) when (e.Kind == FlamingoErrorKind.Input)
                    {
                        int failed = Terminal.Fail(e);
                        code = code == ExitCode.Ok ? failed : code;
                    }
                }
                if (asked.Count > 0 && work.Choice is { } choice)
                {
                    var watch = Stopwatch.StartNew();
                    var choices = flamingo.Choose([.. asked.Select(a => a.Shots is null
                        ? ChoiceQuestion.Of(task, flamingo.Config.Prompts, a.Sound)
                        : new ChoiceQuestion(a.Question, task.Answers))], choice, cancellation);
                    for (int i = 0; i < choices.Count; i++)
                        printer.Print(asked[i], choices[i], choice, watch.Elapsed);
                }
                else if (asked.Count > 0)
                {
                    var watch = Stopwatch.StartNew();
                    Question[] questions = [.. asked.Select(a => a.Question)];
                    var thoughts = work.Think ? flamingo.Think(questions, generation, cancellation) : null;
                    var answers = thoughts?.Select(t => t.Answer).ToList() ?? flamingo.Answer(questions, generation, cancellation);
                    for (int i = 0; i < answers.Count; i++)
                    {
                        var ranked = judge is null ? null : await RankAsync(judge, asked[i].File, answers[i]).ConfigureAwait(false);
                        printer.Print(asked[i], answers[i], thoughts?[i], ranked, watch.Elapsed);
                    }
                }
            }
            finally
            {
                asked.ForEach(a => a.Dispose());
            }
        }
        return code;

        async Task<AskedFile> AskAsync(string file)
        {
            var watch = Stopwatch.StartNew();
            var sound = Options.Hearing.Hear(flamingo, file, parse, cancellation);
            if (shots is null)
                return new AskedFile(file, sound, new Question(single, sound), watch.Elapsed);
            try
            {
                var part = Options.Hearing.PartOf(parse);
                return await AskedFile.WithExamplesAsync(flamingo, task, shots, file, sound, labels, part, work.Vote, watch, cancellation).ConfigureAwait(false);
            }
            catch
            {
                sound.Dispose();
                throw;
            }
        }

        Task<IReadOnlyList<RankedAnswer>> RankAsync(ISoundEmbedder embedder, string file, Answer answer)
        {
            var (start, duration) = Options.Hearing.PartOf(parse);
            return new Reranker(embedder).RankAsync(file, [.. answer.Candidates.Select(c => c.Text)], start, duration, cancellation);
        }
    }

    private ISoundEmbedder OpenJudge(ParseResult parse, Flamingo flamingo)
    {
        var judge = _encoder.Open(parse, Options.Model, flamingo);
        if (judge.Texts is not null)
            return judge;
        judge.Dispose();
        throw new FlamingoException(FlamingoErrorKind.Model,
            $"--rerank needs an encoder that reads texts too, but {judge.Encoder.Name} hears sounds only. Name a CLAP model by --encoder.");
    }
}
