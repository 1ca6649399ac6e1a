using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Generation;
using FlamingoSharp.Text;

namespace FlamingoSharp.Cli;

/// <summary>What caption, ask and classify share: the same task on one file after another, in batches.</summary>
internal sealed class AnswerRun
{
    public RunOptions Options { get; } = new();

    public void AddTo(Command command) => Options.AddTo(command);

    /// <summary>Answers for every file; goes on after a bad one.</summary>
    /// <param name="parse">The command line.</param> <param name="task">What is asked.</param> <param name="arguments">Files and patterns.</param>
    /// <param name="labels">The labels that an answer is matched with; null for free text.</param>
    /// <param name="cancellation">Ctrl-C.</param>
    /// <returns>0, or the exit code of the first error.</returns>
    public int Run(ParseResult parse, TaskPrompt task, IEnumerable<string> arguments, IReadOnlyList<string>? labels, CancellationToken cancellation)
    {
        var generation = Options.Answering.Read(parse);
        var files = InputFiles.Expand(arguments);
        using var flamingo = Options.Model.Load(parse);
        var prompt = flamingo.Config.Prompts.Ask(task);
        prompt.EncodeFor(flamingo.Tokenizer, flamingo.Config.Language.MaxPositions); // too long is said once, before anything is heard
        string? shown = parse.GetValue(Options.ShowPrompt) ? prompt.Show(flamingo.Tokenizer) : null;
        if (shown is not null && !parse.GetValue(Options.Json))
            Console.Error.WriteLine(shown);
        var printer = new Printer(Options, parse, flamingo, generation, labels, shown, files.Count > 1);

        int code = ExitCode.Ok;
        foreach (string[] batch in files.Chunk(parse.GetValue(Options.Batch)))
        {
            var heard = new List<Heard>();
            try
            {
                foreach (string file in batch)
                {
                    cancellation.ThrowIfCancellationRequested();
                    try
                    {
                        var watch = Stopwatch.StartNew();
                        heard.Add(new Heard(file, Options.Hearing.Hear(flamingo, file, parse, cancellation), watch.Elapsed));
                    }
                    catch (FlamingoException e) when (e.Kind == FlamingoErrorKind.Input)
                    {
                        int failed = Terminal.Fail(e);
                        code = code == ExitCode.Ok ? failed : code;
                    }
                }
                if (heard.Count > 0)
                {
                    var watch = Stopwatch.StartNew();
                    var answers = flamingo.Answer([.. heard.Select(h => new Question(prompt, h.Sound))], generation, cancellation);
                    for (int i = 0; i < answers.Count; i++)
                        printer.Print(heard[i], answers[i], watch.Elapsed);
                }
            }
            finally
            {
                heard.ForEach(h => h.Sound.Dispose());
            }
        }
        return code;
    }

    private sealed record Heard(string File, Sound Sound, TimeSpan Time);

    private sealed class Printer(
        RunOptions run, ParseResult parse, Flamingo flamingo, GenerationOptions generation, IReadOnlyList<string>? labels, string? prompt, bool nameFiles)
    {
        public void Print(Heard heard, Answer answer, TimeSpan time)
        {
            string? label = labels is null ? null : LabelMatch.Find(answer.Text, labels);
            if (answer.Candidates.Any(c => c.Finish == FinishReason.Length))
                Terminal.Note($"'{heard.File}': the answer was cut off after {answer.Candidates.Max(c => c.Tokens)} tokens; --max-tokens allows more.");
            if (labels is not null && label is null)
                Terminal.Note($"'{heard.File}': the answer is none of the labels.");
            if (parse.GetValue(run.Json))
                Terminal.Say(JsonSerializer.Serialize(Line(heard, answer, label, time), CliJson.Lines.AnswerLine));
            else
            {
                foreach (var candidate in answer.Candidates)
                    Terminal.Say((nameFiles ? $"{heard.File}: " : "") + (label ?? candidate.Text));
            }
            if (parse.GetValue(run.Verbose))
                Detail(heard, answer, time);
        }

        private static void Detail(Heard heard, Answer answer, TimeSpan time)
        {
            double total = (heard.Time + time).TotalSeconds;
            Terminal.Note(string.Create(CultureInfo.InvariantCulture,
                $"'{heard.File}': {heard.Sound.Description}; heard {answer.SecondsHeard:0.0} s in {heard.Time.TotalSeconds:0.00} s, answered in {time.TotalSeconds:0.00} s ({answer.Timing.DecodeTokensPerSecond:0.#} tokens/s after the first), {total / answer.SecondsHeard:0.00} times real time."));
        }

        private AnswerLine Line(Heard heard, Answer answer, string? label, TimeSpan time) =>
            run.LineOf(parse, flamingo, generation, answer, heard.File, heard.Sound.Description, heard.Sound.Warnings) with
            {
                Label = label,
                Prompt = prompt,
                HearSeconds = Math.Round(heard.Time.TotalSeconds, 4),
                AnswerSeconds = Math.Round(time.TotalSeconds, 4),
            };
    }
}
