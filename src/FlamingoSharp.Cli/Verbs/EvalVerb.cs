using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Models;
using FlamingoSharp.Training;
using FlamingoSharp.Training.Distributed;
using FlamingoSharp.Training.Evaluation;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Cli.Verbs;

/// <summary><c>flamingo eval</c>: scores a model on a data set or manifest, with the papers' numbers and simple baselines beside.</summary>
internal sealed class EvalVerb : Verb
{
    private readonly Argument<string?> _data = new("DATA") { Description = "A data set's folder, or a manifest Dataset-Task/split.json.", Arity = ArgumentArity.ZeroOrOne };

    private readonly Option<string?> _out = new("--out", "-o") { Description = "Folder of report.html, report.md, report.json and the answers. The same command goes on after the answers that are there.", HelpName = "DIR" };

    private readonly Option<string> _split = new("--split") { Description = "Split of a data set.", HelpName = "NAME", DefaultValueFactory = _ => "test" };

    private readonly Option<string[]> _preset = new("--preset")
    {
        Description = "Rows of the papers' tables, commas between; --list shows them. Default: those that the names of the manifests say.",
        HelpName = "A,B",
    };

    private readonly Option<bool> _list = new("--list") { Description = "List the presets with the papers' numbers, and stop." };

    private readonly Option<string?> _audio = new("--audio") { Description = "Folder of the recordings, instead of the one that the manifest names.", HelpName = "DIR" };

    private readonly Option<int?> _limit = new("--limit") { Description = "Ask at most this many questions of each row, evenly spread.", HelpName = "N", Validators = { r => r.AtLeast(1) } };

    private readonly Option<bool> _noFree = new("--no-free") { Description = "Do not ask questions with choices a second time without them." };

    private readonly Option<int> _batch = new("--batch")
    {
        Description = "Questions answered together; the answers are those that each alone would get.",
        HelpName = "N",
        DefaultValueFactory = _ => 16,
        Validators = { r => r.AtLeast(1) },
    };

    private readonly Option<string> _baselines = new("--baselines")
    {
        Description = "none; frequent: the most frequent training answer; all: also the nearest training sound by log-mel statistics.",
        HelpName = "WHICH",
        DefaultValueFactory = _ => "all",
    };

    private readonly Option<string?> _statistics = new("--statistics") { Description = "File that keeps log-mel statistics for several evaluations. Default: statistics.jsonl in --out.", HelpName = "FILE" };

    private readonly Option<string?> _vectors = new("--text-vectors")
    {
        Description = "Lines {\"text\": …, \"vector\": […]} of a sentence model, for nearest_label, f1_approx and map. Texts it lacks are listed in --out.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _clap = new("--clap")
    {
        Description = "CLAP model whose text tower does the same instead: a folder, or a published checkpoint, e.g. models/clap-mini.",
        HelpName = "MODEL",
    };

    private readonly Option<string?> _tokenizer = ClapOptions.Tokenizer();

    private readonly Option<bool> _dialogues = new("--dialogues")
    {
        Description = "Also ask what is heard in dialogues of two turns, and report how often the model stands by its own answers.",
    };

    private readonly Option<string?> _shard = new("--shard") { Description = "Do part I of N, where several runs with the same --out share the work without mpirun; the last to finish writes the report.", HelpName = "I/N" };

    private readonly Option<bool> _restart = new("--restart") { Description = "Throw away the answers of earlier runs." };

    private readonly Option<bool> _json = new("--json") { Description = "Print the report as one JSON object." };

    private readonly ModelOptions _model = new();

    private readonly AnsweringOptions _answering = new();

    public EvalVerb()
        : base("eval", "Score a model on a data set, with the papers' numbers and baselines beside.",
            "flamingo eval SET --model models/flamingo-mini --out eval",
            "flamingo eval Clotho-v2-AudioCaptioning/test.json --audio clotho --model models/af1-foundation --out eval-clotho --batch 8",
            "flamingo eval --list")
    {
        Add(_data);
        foreach (Option option in new Option[] { _out, _split, _preset, _list, _audio, _limit, _noFree, _batch, _baselines, _statistics, _vectors, _clap, _tokenizer, _dialogues, _shard, _restart, _json })
            Add(option);
        _model.AddTo(this);
        _answering.AddTo(this);
        Validators.Add(command =>
        {
            if (command.GetValue(_list))
                return;
            if (command.GetValue(_data) is null)
                command.AddError("Name a data set or a manifest.");
            else if (command.GetValue(_out) is null)
                command.AddError("Name a folder for the report by --out.");
            else if (command.GetValue(_clap) is not null && command.GetValue(_vectors) is not null)
                command.AddError("--clap and --text-vectors both say which texts mean the same; give one of them.");
            else if (command.GetValue(_tokenizer) is not null && command.GetValue(_clap) is null)
                command.AddError("--tokenizer is that of a CLAP model; name the model by --clap.");
        });
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        if (parse.GetValue(_list))
        {
            foreach (var preset in EvaluationPreset.All)
                Terminal.Say(string.Create(CultureInfo.InvariantCulture, $"{preset.Name,-30} {preset.Title}: {preset.Measure} {string.Join("; ", preset.Published.Select(p => $"{p.Value} {p.Model}"))}"));
            return Task.FromResult(ExitCode.Ok);
        }
        // Where mpirun has started several processes, each does its part, unless the command line says which.
        var mpi = parse.GetValue(_shard) is null ? MpiCommunicator.Join() : null;
        var options = Read(parse, mpi);
        _model.UseThreads(parse);
        using var clap = parse.GetValue(_clap) is { } named ? ClapOptions.Load(named, parse.GetValue(_tokenizer), _model.DeviceOf(parse)) : null;
        if (clap is not null)
            options = options with { Embedder = new ClapTextEmbedder(clap) };
        var watch = Stopwatch.StartNew();
        var report = Terminal.Track("Evaluating", bar => new EvaluationRun(options, mpi is null or { Rank: 0 } ? p => Show(p, bar, watch) : null).Run(cancellation));
        if (report is null)
        {
            if (mpi is null)
                Terminal.Note($"Part {parse.GetValue(_shard)} is answered; the last of the parts writes the report.");
            return Task.FromResult(ExitCode.Ok);
        }
        if (parse.GetValue(_json))
            Terminal.Say(JsonSerializer.Serialize(report, EvaluationJson.Lines.EvaluationReport));
        else
            Terminal.SayPart(File.ReadAllText(Path.Combine(options.OutputFolder, EvaluationRun.MarkdownFile)));
        foreach (var unanswered in report.Unanswered.DistinctBy(u => u.Reason).Take(5))
            Terminal.Warn(unanswered.Reason);
        if (report.Unanswered.Count == 0)
            return Task.FromResult(ExitCode.Ok);
        Terminal.Fail($"{report.Unanswered.Count} questions could not be answered and are in no score; the report lists them.");
        return Task.FromResult(ExitCode.Input);
    }

    private EvaluationOptions Read(ParseResult parse, MpiCommunicator? mpi)
    {
        string output = parse.GetValue(_out)!, folder = _model.FolderOf(parse);
        _answering.Read(parse); // contradictions are said before anything is loaded
        return new()
        {
            Data = parse.GetValue(_data)!,
            ModelFolder = folder,
            OutputFolder = output,
            Split = parse.GetValue(_split)!,
            Presets = [.. (parse.GetValue(_preset) ?? []).SelectMany(p => p.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))],
            DataRoot = parse.GetValue(_audio),
            Limit = parse.GetValue(_limit),
            Free = !parse.GetValue(_noFree),
            Dialogues = parse.GetValue(_dialogues),
            Batch = parse.GetValue(_batch),
            Restart = parse.GetValue(_restart),
            Shard = parse.GetValue(_shard) is { } shard ? Shard.Parse(shard) : mpi is null ? Shard.Whole : new(mpi.Rank, mpi.Size),
            Meet = mpi is null ? null : mpi.Barrier,
            Generation = _answering.Read(parse, FlamingoConfig.Load(ModelFolder.Open(folder).ConfigPath).Generation),
            Load = _model.LoadOptions(parse),
            Baselines = Enum.TryParse<BaselineChoice>(parse.GetValue(_baselines), ignoreCase: true, out var choice) ? choice
                : throw new FlamingoException(FlamingoErrorKind.Usage, $"--baselines is '{parse.GetValue(_baselines)}'; expected none, frequent or all."),
            FeatureFile = parse.GetValue(_statistics),
            Embedder = parse.GetValue(_vectors) is { } vectors ? new TextVectorFile(vectors, Path.Combine(output, "missing-texts.jsonl")) : null,
        };
    }

    private static void Show(EvaluationProgress progress, Action<double> bar, Stopwatch watch)
    {
        bar((double)progress.Done / Math.Max(1, progress.Total));
        // Where nobody watches, a line now and then tells a log how far it is.
        if (!Terminal.Watched && (progress.Done == progress.Total || watch.Elapsed > TimeSpan.FromSeconds(30)))
        {
            Terminal.Tell($"{progress.Stage}: {progress.Done} of {progress.Total}");
            watch.Restart();
        }
    }
}
