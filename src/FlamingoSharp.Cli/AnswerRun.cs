using System.CommandLine;
using System.Diagnostics;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Generation;
using FlamingoSharp.Text;

namespace FlamingoSharp.Cli;

/// <summary>What is asked of every file.</summary>
/// <param name="Task">Question and answers.</param>
internal sealed record AnswerRequest(TaskPrompt Task)
{
    /// <summary>The labels that a generated answer is matched with; null for free text.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

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
    public RunOptions Options { get; } = new();

    public void AddTo(Command command) => Options.AddTo(command);

    /// <summary>An option <c>--think</c>, for verbs whose answers may be reasoned out.</summary>
    public static Option<bool> Think() => new("--think")
    {
        Description = "Let a chain-of-thought model of Audio Flamingo 2 reason first; the reasoning goes to standard error, or into JSON fields.",
    };

    /// <summary>Answers for every file; goes on after a bad one.</summary>
    /// <param name="parse">The command line.</param> <param name="request">What is asked.</param> <param name="arguments">Files and patterns.</param>
    /// <param name="cancellation">Ctrl-C.</param>
    /// <returns>0, or the exit code of the first error.</returns>
    public int Run(ParseResult parse, AnswerRequest request, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        Options.Answering.Read(parse); // contradictions are said before anything is loaded
        var files = InputFiles.Expand(arguments);
        using var flamingo = Options.Model.Load(parse);
        var own = flamingo.Config.Generation;
        var generation = Options.Answering.Read(parse, request.Think ? own with { MaxNewTokens = GenerationOptions.ThinkingTokens } : own);
        var prompt = request.Think ? flamingo.Config.Prompts.AskToThink(request.Task) : flamingo.Config.Prompts.Ask(request.Task);
        prompt.EncodeFor(flamingo.Tokenizer, flamingo.Config.Language.MaxPositions); // too long is said once, before anything is heard
        string? shown = parse.GetValue(Options.ShowPrompt) ? prompt.Show(flamingo.Tokenizer) : null;
        if (shown is not null && !parse.GetValue(Options.Json))
            Console.Error.WriteLine(shown);
        var printer = new AnswerPrinter(Options, parse, flamingo, generation, request, shown, files.Count > 1);

        int code = ExitCode.Ok;
        foreach (string[] batch in files.Chunk(parse.GetValue(Options.Batch)))
        {
            var heard = new List<HeardFile>();
            try
            {
                foreach (string file in batch)
                {
                    cancellation.ThrowIfCancellationRequested();
                    try
                    {
                        var watch = Stopwatch.StartNew();
                        heard.Add(new HeardFile(file, Options.Hearing.Hear(flamingo, file, parse, cancellation), watch.Elapsed));
                    }
                    catch (FlamingoException e) when (e.Kind == FlamingoErrorKind.Input)
                    {
                        int failed = Terminal.Fail(e);
                        code = code == ExitCode.Ok ? failed : code;
                    }
                }
                if (heard.Count > 0 && request.Choice is { } choice)
                {
                    var watch = Stopwatch.StartNew();
                    var choices = flamingo.Choose([.. heard.Select(h => ChoiceQuestion.Of(request.Task, flamingo.Config.Prompts, h.Sound))], choice, cancellation);
                    for (int i = 0; i < choices.Count; i++)
                        printer.Print(heard[i], choices[i], choice, watch.Elapsed);
                }
                else if (heard.Count > 0)
                {
                    var watch = Stopwatch.StartNew();
                    Question[] questions = [.. heard.Select(h => new Question(prompt, h.Sound))];
                    var thoughts = request.Think ? flamingo.Think(questions, generation, cancellation) : null;
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
}
