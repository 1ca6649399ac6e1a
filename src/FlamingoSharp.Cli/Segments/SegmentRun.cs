using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Audio;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Generation;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Journals;

namespace FlamingoSharp.Cli.Segments;

/// <summary>caption --segments: moves over files of any length, and continues a run that was stopped.</summary>
internal sealed class SegmentRun(RunOptions run)
{
    private readonly Option<double?> _seconds = new("--segments")
    {
        Description = "Move over the whole file in segments of this length, and give each a caption with its time.",
        HelpName = "SECONDS",
    };

    private readonly Option<string?> _out = new("--out", "-o")
    {
        Description = "With --segments: also write the captions to this .jsonl, .srt or .vtt; the same command continues a run that was stopped.",
        HelpName = "FILE",
    };

    private readonly Option<bool> _restart = new("--restart") { Description = "With --out: begin anew, whatever is there." };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _seconds, _out, _restart })
            command.Add(option);
        command.Validators.Add(Check);
    }

    public bool IsAsked(ParseResult parse) => parse.GetValue(_seconds) is not null;

    /// <summary>Captions every segment of every file; goes on with the next file after a bad one.</summary>
    /// <returns>0, or the exit code of the first error.</returns>
    public async Task<int> RunAsync(ParseResult parse, TaskPrompt task, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        run.Answering.Read(parse); // contradictions are said before anything is loaded
        var files = InputFiles.Expand(arguments);
        string? output = parse.GetValue(_out);
        if (output is not null && files.Count > 1)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"--out takes the captions of one file, but {files.Count} are given; caption them one by one.");
        if (output is not null)
            SegmentJournal.CheckFree(output, parse.GetValue(_restart)); // said before anything is loaded
        using var flamingo = run.Model.Load(parse);
        var generation = run.Answering.Read(parse, flamingo.Config.Generation);
        var prompt = flamingo.Config.Prompts.Ask(task);
        prompt.EncodeFor(flamingo.Tokenizer, flamingo.Config.Language.MaxPositions);
        string shown = prompt.Show(flamingo.Tokenizer);
        if (parse.GetValue(run.ShowPrompt) && !parse.GetValue(run.Json))
            Console.Error.WriteLine(shown);
        int code = ExitCode.Ok;
        foreach (string file in files)
        {
            try
            {
                using var journal = output is null ? null : OpenJournal(parse, flamingo, generation, shown, file, output, cancellation);
                await CaptionAsync(new Captioning(parse, flamingo, generation, task, shown, file, files.Count > 1, journal), cancellation).ConfigureAwait(false);
                journal?.Complete();
            }
            catch (FlamingoException e) when (e.Kind == FlamingoErrorKind.Input)
            {
                int failed = Terminal.Fail(e);
                code = code == ExitCode.Ok ? failed : code;
            }
        }
        return code;
    }

    private sealed record Captioning(
        ParseResult Parse, Flamingo Flamingo, GenerationOptions Generation, TaskPrompt Task, string Prompt, string File, bool NameFile, SegmentJournal? Journal);

    private async Task CaptionAsync(Captioning work, CancellationToken cancellation)
    {
        var (parse, journal) = (work.Parse, work.Journal);
        var options = Segments(parse, journal?.Done ?? 0);
        if (journal is { Done: > 0 })
            Terminal.Note($"'{work.File}': continues after {TimedText.Time(journal.DoneSeconds)}; {journal.Done} segments are done.");
        var watch = Stopwatch.StartNew();
        var warned = new HashSet<string>();
        double heard = 0;
        try
        {
            await foreach (var answer in work.Flamingo.CaptionSegmentsAsync(work.File, options, work.Task, work.Generation, cancellation).ConfigureAwait(false))
            {
                foreach (string warning in answer.Warnings.Where(warned.Add))
                    Terminal.Warn(warning);
                var line = LineOf(work, answer);
                journal?.Add(line);
                Say(work, options, line);
                heard += answer.EndSeconds - answer.StartSeconds;
            }
        }
        catch (OperationCanceledException) when (journal is not null)
        {
            Terminal.Note($"{journal.Done} segments are done; the same command continues after them.");
            throw;
        }
        if (parse.GetValue(run.Verbose))
        {
            double seconds = watch.Elapsed.TotalSeconds;
            Terminal.Note(string.Create(CultureInfo.InvariantCulture, $"'{work.File}': heard {heard:0.0} s in {seconds:0.0} s, {seconds / Math.Max(heard, 1e-9):0.00} times real time."));
        }
    }

    private AnswerLine LineOf(Captioning work, TimedAnswer answer) =>
        run.LineOf(work.Parse, work.Flamingo, work.Generation, answer.Answer, work.File, answer.Description, answer.Warnings) with
        {
            Segment = answer.Index,
            Start = Math.Round(answer.StartSeconds, 3),
            End = Math.Round(answer.EndSeconds, 3),
            Prompt = work.Parse.GetValue(run.ShowPrompt) ? work.Prompt : null,
        };

    private void Say(Captioning work, SegmentOptions options, AnswerLine line)
    {
        if (work.Parse.GetValue(run.Json))
        {
            Terminal.Say(JsonSerializer.Serialize(line, CliJson.Lines.AnswerLine));
            return;
        }
        int decimals = double.IsInteger(options.Seconds) && double.IsInteger(options.StartSeconds) ? 0 : 1;
        string time = $"[{TimedText.Time(line.Start!.Value, decimals)} - {TimedText.Time(line.End!.Value, decimals)}]";
        Terminal.Say($"{(work.NameFile ? $"{work.File}: " : "")}{time} {line.Text}");
    }

    private SegmentJournal OpenJournal(
        ParseResult parse, Flamingo flamingo, GenerationOptions generation, string prompt, string file, string output, CancellationToken cancellation)
    {
        var options = Segments(parse, 0);
        if (!File.Exists(file))
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{file}' does not exist; check the path.");
        var work = new SegmentWork(
            Fingerprint.OfFile(file, cancellation), Fingerprint.OfModel(run.Model.FolderOf(parse), cancellation), options.Seconds, options.StartSeconds,
            options.DurationSeconds, prompt, GenerationFacts.Of(generation), ModelOptions.NameOf(run.Model.TypeOf(parse)));
        options.Validate(flamingo.Config.Windows); // before a journal is begun
        return SegmentJournal.Open(output, work, parse.GetValue(_restart));
    }

    private SegmentOptions Segments(ParseResult parse, int first)
    {
        var (start, duration) = run.Hearing.PartOf(parse);
        return new SegmentOptions
        {
            Seconds = parse.GetValue(_seconds)!.Value,
            StartSeconds = start,
            DurationSeconds = duration,
            First = first,
            Batch = parse.GetValue(run.Batch),
        };
    }

    private void Check(CommandResult command)
    {
        bool segments = command.GetResult(_seconds) is not null;
        string? output = command.GetResult(_out) is { Tokens: [var token] } ? token.Value : null;
        if (output is not null && !segments)
            command.AddError("--out needs --segments.");
        else if (output is not null && TimedText.ForFile(output) is null)
            command.AddError($"'{output}' has no known form; --out writes .jsonl, .srt or .vtt.");
        else if (command.GetResult(_restart) is not null && output is null)
            command.AddError("--restart needs --out.");
    }
}
