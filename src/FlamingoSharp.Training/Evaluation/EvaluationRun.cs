using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using FlamingoSharp.Models;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Journals;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>What a person watching an evaluation is told.</summary>
/// <param name="Stage">What is being done.</param> <param name="Done">How much of it.</param> <param name="Total">How much there is.</param>
internal readonly record struct EvaluationProgress(string Stage, int Done, int Total);

/// <summary>
/// Asks a model every question of a data set, scores the answers, and writes <c>report.json</c>, <c>report.md</c> and <c>report.html</c>. Answers are kept as they come:
/// the same run started again goes on after them, and processes that share the work find each other's.
/// </summary>
internal sealed class EvaluationRun(EvaluationOptions options, Action<EvaluationProgress>? progress = null)
{
    public const string ReportFile = "report.json", MarkdownFile = "report.md";

    /// <summary>Runs it to the end.</summary>
    /// <returns>The report; null where other processes still have answers to give: the last of them writes it.</returns>
    /// <exception cref="FlamingoException">A part is missing or does not fit.</exception>
    public EvaluationReport? Run(CancellationToken cancellation)
    {
        var set = EvaluationSet.Open(options);
        var folder = ModelFolder.Open(options.ModelFolder);
        var config = FlamingoConfig.Load(folder.ConfigPath);
        if (options.Load.MaxWindows is { } windows)
            config = config.WithMaxWindows(windows);
        var tokenizer = Tokenizer.Load(folder.TokenizerFolder);
        if (options.Dialogues && DialogueFormat.For(config.Prompts) is null)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"{config.Name} has no form for dialogues: Audio Flamingo 2 answers single questions. Leave --dialogues out.");
        // Draws without a seed could not be continued after a kill.
        var generation = options.Generation ?? config.Generation;
        generation = generation.Sample && generation.Seed is null ? generation with { Seed = 0 } : generation;
        var model = ModelFacts.Of(options.ModelFolder, config.Name, config.PromptFormatName, options.Load, cancellation);
        var work = new AnswerWork(AnswerWork.CurrentFormat, model.Sha256, GenerationFacts.Of(generation), model.Dtype, options.Load.MaxWindows);

        var questions = set.Rows.SelectMany(r => r.Items).DistinctBy(i => i.Id).ToDictionary(i => i.Id, i => EvaluationQuestion.Of(i, config, tokenizer));
        EvaluationQuestion[] all = [.. questions.Values.DistinctBy(q => q.Key).GroupBy(q => q.Sounds[^1]).SelectMany(g => g)];
        EvaluationQuestion[] own = [.. all.GroupBy(q => q.Sounds[^1]).Where((_, i) => i % options.Shard.Count == options.Shard.Index).SelectMany(g => g)];
        CreateFolder();
        using var journal = AnswerJournal.Open(options.OutputFolder, options.Shard, work, options.Restart, options.Meet);
        using (var answering = new QuestionAnswering(() => Flamingo.Load(options.ModelFolder, options.Load), generation, options.Batch, journal))
            answering.Run(own, p => progress?.Invoke(new("Answering", p.Done, p.Total)), cancellation);
        if (!journal.Finish(cancellation) || all.Any(q => !journal.Has(q) && journal.FailureOf(q) is null))
            return null;

        var report = Score(set, questions, journal, model, work.Generation, cancellation);
        Write(ReportFile, JsonSerializer.SerializeToUtf8Bytes(report, EvaluationJson.File.EvaluationReport));
        Write(MarkdownFile, Encoding.UTF8.GetBytes(EvaluationMarkdown.Of(report)));
        Runtime.NativeRuntime.EnsureLoaded(options.Load.LibTorchFolder);
        var pictures = new SoundPictures(config, cancellation);
        pictures.Prepare(report.Rows.SelectMany(EvaluationSections.Shown));
        new ReportPage(EvaluationTables.Title(report)).Add(new EvaluationSections(pictures.Of).Of(report)).Write(options.OutputFolder);
        return report;
    }

    private void CreateFolder()
    {
        try
        {
            Directory.CreateDirectory(options.OutputFolder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage, $"The folder '{options.OutputFolder}' cannot be made: {e.Message.TrimEnd('.')}; name another by --out.", e);
        }
    }

    private void Write(string name, byte[] content) => AtomicFile.Write(Path.Combine(options.OutputFolder, name), file => file.Write(content));

    private EvaluationReport Score(
        EvaluationSet set, IReadOnlyDictionary<string, EvaluationQuestion> questions, AnswerJournal journal,
        ModelFacts model, GenerationFacts generation, CancellationToken cancellation)
    {
        var answers = journal.Answers;
        // What was not answered is in no score.
        EvaluationRow[] rows = [.. set.Rows.Select(r => r with { Items = [.. r.Items.Where(i => journal.Has(questions[i.Id]))] }).Where(r => r.Items.Count > 0)];
        if (options.Embedder is TextVectorFile vectors)
            vectors.Require(rows.SelectMany(r => RowScorer.EmbeddedTexts(r.Kind, r.Items, [.. r.Items.Select(i => answers[questions[i.Id].Key].Answer)])));
        var baselines = new Baselines(set.Training, Neighbours(rows, set.Training, cancellation));
        var reporter = new RowReporter(questions, answers, baselines, options.Embedder, set.Training);
        RowReport[] reports = [.. rows.Select(r => reporter.Report(r, cancellation))];
        var heard = questions.Values.Where(q => answers.ContainsKey(q.Key)).DistinctBy(q => q.Sounds[^1]).Select(q => answers[q.Key]).ToList();
        var items = rows.SelectMany(r => r.Items).ToList();
        return new()
        {
            Tool = $"flamingo {Version()}",
            Date = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            Model = model,
            Generation = generation,
            Unanswered = [.. questions.Values.DistinctBy(q => q.Key).Where(q => !journal.Has(q)).Select(q => new Unanswered(q.Id, journal.FailureOf(q)!))],
            Data = new(set.Path, set.Split, items.Count, options.Limit,
                Fingerprint.OfText(string.Join('\n', items.Select(i => $"{i.Id} {questions[i.Id].Key} {string.Join('|', i.Expected)}")))),
            Embedder = options.Embedder?.Name,
            Macro = Macro(reports),
            Rows = reports,
            SecondsHeard = Math.Round(heard.Sum(a => a.SecondsHeard), 1),
            SecondsDropped = Math.Round(heard.Sum(a => a.SecondsDropped), 1),
        };
    }

    private SoundNeighbours? Neighbours(IReadOnlyList<EvaluationRow> rows, IReadOnlyList<EvaluationRow> training, CancellationToken cancellation)
    {
        if (options.Baselines != BaselineChoice.All || training.Count == 0)
            return null;
        var names = rows.Select(r => r.Name).ToHashSet();
        HeardPart[] taught = [.. training.Where(r => names.Contains(r.Name)).SelectMany(r => r.Items).Select(i => i.Sound).Distinct()];
        HeardPart[] asked = [.. rows.SelectMany(r => r.Items).Select(i => i.Sound).Distinct()];
        if (taught.Length == 0)
            return null;
        Runtime.NativeRuntime.EnsureLoaded(options.Load.LibTorchFolder);
        using var statistics = new SoundStatistics(options.FeatureFile ?? Path.Combine(options.OutputFolder, "statistics.jsonl"));
        var known = statistics.Of([.. taught.Union(asked)], (done, total) => progress?.Invoke(new("Measuring sounds for the baseline", done, total)), cancellation);
        return taught.Any(known.ContainsKey) ? new SoundNeighbours(known, taught) : null;
    }

    private static Dictionary<string, double> Macro(RowReport[] rows) => rows.GroupBy(r => Measures.IsShare(r.Headline) && r.Kind != AnswerKind.Consistency ? "share" : r.Headline)
        .ToDictionary(g => g.Key, g => g.Average(r => r.Scores.GetValueOrDefault(r.Headline)));

    private static string Version() =>
        typeof(EvaluationRun).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
