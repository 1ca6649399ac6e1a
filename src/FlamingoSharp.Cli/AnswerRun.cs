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

    /// <summary>An option <c>--think</c>, for verbs whose answers may be reasoned out.</summary>
    public static Option<bool> Think() => new("--think")
    {
        Description = "Let a chain-of-thought model of Audio Flamingo 2 reason first; the reasoning goes to standard error, or into JSON fields.",
    };

    /// <summary>Answers for every file; goes on after a bad one.</summary>
    /// <param name="parse">The command line.</param> <param name="task">What is asked.</param> <param name="arguments">Files and patterns.</param>
    /// <param name="labels">The labels that an answer is matched with; null for free text.</param>
    /// <param name="think">Whether the model is to reason first.</param> <param name="cancellation">Ctrl-C.</param>
    /// <returns>0, or the exit code of the first error.</returns>
    public int Run(
        ParseResult parse, TaskPrompt task, IEnumerable<string> arguments, IReadOnlyList<string>? labels, bool think, CancellationToken cancellation)
    {
        Options.Answering.Read(parse); // contradictions are said before anything is loaded
        var files = InputFiles.Expand(arguments);
        using var flamingo = Options.Model.Load(parse);
        var own = flamingo.Config.Generation;
        var generation = Options.Answering.Read(parse, think ? own with { MaxNewTokens = GenerationOptions.ThinkingTokens } : own);
        var prompt = think ? flamingo.Config.Prompts.AskToThink(task) : flamingo.Config.Prompts.Ask(task);
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
                    Question[] questions = [.. heard.Select(h => new Question(prompt, h.Sound))];
                    var thoughts = think ? flamingo.Think(questions, generation, cancellation) : null;
                    var answers = thoughts?.Select(t => t.Answer).ToList() ?? flamingo.Answer(questions, generation, cancellation);
                    for (int i = 0; i < answers.Count; i++)
                        printer.Print(heard[i], answers[i], thoughts?[i], watch.Elapsed);
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
        public void Print(Heard heard, Answer answer, ReasonedAnswer? thought, TimeSpan time)
        {
            string? label = LabelOf(answer, thought, 0);
            if (answer.Candidates.Any(c => c.Finish == FinishReason.Length))
                Terminal.Note($"'{heard.File}': the answer was cut off after {answer.Candidates.Max(c => c.Tokens)} tokens; --max-tokens allows more.");
            if (labels is not null && label is null)
                Terminal.Note($"'{heard.File}': the answer is none of the labels.");
            if (thought is { Conclusion: null })
                Terminal.Note($"'{heard.File}': the model came to no <CONCLUSION>; its text is given whole.");
            if (parse.GetValue(run.Json))
                Terminal.Say(JsonSerializer.Serialize(Line(heard, answer, thought, label, time), CliJson.Lines.AnswerLine));
            else
            {
                if (thought is not null)
                    Explain(heard, thought);
                for (int i = 0; i < answer.Candidates.Count; i++)
                    Terminal.Say((nameFiles ? $"{heard.File}: " : "") + (LabelOf(answer, thought, i) ?? Said(answer, thought, i)));
            }
            if (parse.GetValue(run.Verbose))
                Detail(heard, answer, time);
        }

        private static string Said(Answer answer, ReasonedAnswer? thought, int candidate) =>
            thought?.Thoughts[candidate].Conclusion ?? answer.Candidates[candidate].Text;

        private string? LabelOf(Answer answer, ReasonedAnswer? thought, int candidate) =>
            labels is null ? null : LabelMatch.Find(Said(answer, thought, candidate), labels);

        private static void Explain(Heard heard, ReasonedAnswer thought)
        {
            foreach (var (name, text) in new[] { ("summary", thought.Summary), ("caption", thought.Caption), ("reasoning", thought.Reasoning) })
            {
                if (text is not null)
                    Terminal.Note($"'{heard.File}': {name}: {text}");
            }
        }

        private static void Detail(Heard heard, Answer answer, TimeSpan time)
        {
            double total = (heard.Time + time).TotalSeconds;
            Terminal.Note(string.Create(CultureInfo.InvariantCulture,
                $"'{heard.File}': {heard.Sound.Description}; heard {answer.SecondsHeard:0.0} s in {heard.Time.TotalSeconds:0.00} s, answered in {time.TotalSeconds:0.00} s ({answer.Timing.DecodeTokensPerSecond:0.#} tokens/s after the first), {total / answer.SecondsHeard:0.00} times real time."));
        }

        private AnswerLine Line(Heard heard, Answer answer, ReasonedAnswer? thought, string? label, TimeSpan time) =>
            run.LineOf(parse, flamingo, generation, answer, heard.File, heard.Sound.Description, heard.Sound.Warnings, thought) with
            {
                Label = label,
                Prompt = prompt,
                HearSeconds = Math.Round(heard.Time.TotalSeconds, 4),
                AnswerSeconds = Math.Round(time.TotalSeconds, 4),
            };
    }
}
