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
    private readonly ModelOptions _model = new();
    private readonly HearingOptions _hearing = new();
    private readonly AnsweringOptions _answering = new();

    private readonly Option<int> _batch = new("--batch")
    {
        Description = "Files answered together; the answers are those that each file alone would get.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
        Validators = { r => r.AtLeast(1) },
    };

    private readonly Option<bool> _showPrompt = new("--show-prompt") { Description = "Also print exactly what the model reads (standard error, or a JSON field)." };

    private readonly Option<bool> _json = new("--json") { Description = "One JSON object a file, each on its line." };

    private readonly Option<bool> _verbose = new("--verbose", "-v") { Description = "Also say what the file is, and how long everything took." };

    public void AddTo(Command command)
    {
        _model.AddTo(command);
        _hearing.AddTo(command);
        _answering.AddTo(command);
        foreach (Option option in new Option[] { _batch, _showPrompt, _json, _verbose })
            command.Add(option);
    }

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
        _answering.Read(parse); // contradictions are said before anything is loaded
        var files = InputFiles.Expand(arguments);
        using var flamingo = _model.Load(parse);
        var own = flamingo.Config.Generation;
        var generation = _answering.Read(parse, think ? own with { MaxNewTokens = GenerationOptions.ThinkingTokens } : own);
        var prompt = think ? flamingo.Config.Prompts.AskToThink(task) : flamingo.Config.Prompts.Ask(task);
        prompt.EncodeFor(flamingo.Tokenizer, flamingo.Config.Language.MaxPositions); // too long is said once, before anything is heard
        string? shown = parse.GetValue(_showPrompt) ? prompt.Show(flamingo.Tokenizer) : null;
        if (shown is not null && !parse.GetValue(_json))
            Console.Error.WriteLine(shown);
        var printer = new Printer(this, parse, flamingo, generation, labels, shown, files.Count > 1);

        int code = ExitCode.Ok;
        foreach (string[] batch in files.Chunk(parse.GetValue(_batch)))
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
                        heard.Add(new Heard(file, _hearing.Hear(flamingo, file, parse, cancellation), watch.Elapsed));
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
        AnswerRun run, ParseResult parse, Flamingo flamingo, GenerationOptions generation, IReadOnlyList<string>? labels, string? prompt, bool nameFiles)
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
            if (parse.GetValue(run._json))
                Terminal.Say(JsonSerializer.Serialize(Line(heard, answer, thought, label, time), CliJson.Lines.AnswerLine));
            else
            {
                if (thought is not null)
                    Explain(heard, thought);
                for (int i = 0; i < answer.Candidates.Count; i++)
                    Terminal.Say((nameFiles ? $"{heard.File}: " : "") + (LabelOf(answer, thought, i) ?? Said(answer, thought, i)));
            }
            if (parse.GetValue(run._verbose))
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

        private AnswerLine Line(Heard heard, Answer answer, ReasonedAnswer? thought, string? label, TimeSpan time) => new()
        {
            File = heard.File,
            Text = answer.Text,
            Label = label,
            Summary = thought?.Summary,
            Caption = thought?.Caption,
            Reasoning = thought?.Reasoning,
            Conclusion = thought?.Conclusion,
            Resumed = thought?.Resumed[0],
            Finish = AnswerLine.NameOf(answer.Candidates[0].Finish),
            Tokens = answer.Candidates[0].Tokens,
            Candidates = answer.Candidates.Count > 1 ? [.. answer.Candidates.Select((c, i) => CandidateLine.Of(c, thought?.Thoughts[i]))] : null,
            Prompt = prompt,
            PromptTokens = answer.PromptTokens,
            SecondsHeard = Math.Round(answer.SecondsHeard, 3),
            SecondsDropped = Math.Round(answer.SecondsDropped, 3),
            Sound = heard.Sound.Description,
            Warnings = heard.Sound.Warnings,
            Model = flamingo.Config.Name,
            Device = run._model.DeviceOf(parse),
            Dtype = ModelOptions.NameOf(run._model.TypeOf(parse)),
            Generation = GenerationLine.Of(generation, answer.Seed),
            HearSeconds = Math.Round(heard.Time.TotalSeconds, 4),
            AnswerSeconds = Math.Round(time.TotalSeconds, 4),
        };
    }
}
