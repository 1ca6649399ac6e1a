using Spectre.Console;

namespace FlamingoSharp.Cli;

/// <summary>Where words go: answers to standard output, everything else to standard error. Colours and bars appear on a terminal only.</summary>
internal static class Terminal
{
    private static readonly Lazy<IAnsiConsole> s_error = new(() => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(Console.Error),
        ColorSystem = Colours ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
    }));

    private static readonly Lazy<IAnsiConsole> s_output = new(() =>
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(Console.Out),
            ColorSystem = Colours ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
        });
        if (Console.IsOutputRedirected)
            console.Profile.Width = 200; // a file has no width that a table could be broken at
        return console;
    });

    /// <summary>True when a person watches standard error.</summary>
    public static bool Watched => !Console.IsErrorRedirected;

    /// <summary>True when a person can be asked.</summary>
    public static bool CanAsk => Watched && !Console.IsInputRedirected;

    private static bool Colours => string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>A line of the answer.</summary>
    public static void Say(string text) => Console.Out.WriteLine(text);

    /// <summary>True when answers may have colours: a person sees them.</summary>
    public static bool ColoursAnswers => Colours && !Console.IsOutputRedirected;

    /// <summary>A table as answer.</summary>
    public static void Show(Table table) => s_output.Value.Write(table);

    /// <summary>Texts in colours as a line of the answer; each is taken as it is.</summary>
    public static void Say(IEnumerable<(string Text, string Colour)> pieces) =>
        s_output.Value.Write(new Markup(string.Concat(pieces.Select(p => $"[{p.Colour}]{Markup.Escape(p.Text)}[/]")) + "\n") { Overflow = Overflow.Fold });

    /// <summary>A piece of an answer that is still being made.</summary>
    public static void SayPart(string text)
    {
        Console.Out.Write(text);
        Console.Out.Flush();
    }

    /// <summary>Something to read before a question.</summary>
    public static void Tell(string text) => Console.Error.WriteLine(text);

    /// <summary>Asks for yes or no; anything but a yes is a no.</summary>
    public static async Task<bool> AskAsync(string question, CancellationToken cancellation)
    {
        Console.Error.Write($"{question} [y/N] ");
        string? answer = await Task.Run(Console.ReadLine, cancellation).WaitAsync(cancellation).ConfigureAwait(false);
        return answer?.Trim().ToUpperInvariant() is "Y" or "YES";
    }

    /// <summary>Something worth knowing.</summary>
    public static void Note(string text) => Write("note", "grey", text);

    /// <summary>Something odd.</summary>
    public static void Warn(string text) => Write("warning", "yellow", text);

    /// <summary>Why it did not work.</summary>
    public static void Fail(string text) => Write("error", "red", text);

    /// <summary>Tells of an exception: the message of one written for people; of any other a sentence, and all of it when FLAMINGO_DEBUG is 1.</summary>
    /// <returns>The exit code.</returns>
    public static int Fail(Exception error)
    {
        if (Environment.GetEnvironmentVariable("FLAMINGO_DEBUG") == "1")
            Console.Error.WriteLine(error);
        Fail(error switch
        {
            FlamingoException => error.Message,
            OperationCanceledException => "cancelled.",
            IOException or UnauthorizedAccessException => error.Message,
            _ => $"this should not have happened: {error.Message.Split('\n')[0].Trim()} (FLAMINGO_DEBUG=1 shows where.)",
        });
        return ExitCode.Of(error);
    }

    /// <summary>Shows a bar while something long is done, if somebody watches.</summary>
    /// <param name="what">What is done, e.g. "Loading".</param>
    /// <param name="work">Reports its progress from 0 to 1.</param>
    public static T Track<T>(string what, Func<Action<double>, T> work)
    {
        if (!Watched)
            return work(_ => { });
        return s_error.Value.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                var bar = context.AddTask(Markup.Escape(what), maxValue: 1);
                return work(done => bar.Value = done);
            });
    }

    private static void Write(string kind, string colour, string text)
    {
        if (Watched && Colours)
            s_error.Value.Write(new Markup($"[{colour}]{kind}:[/] {Markup.Escape(text)}\n") { Overflow = Overflow.Fold });
        else
            Console.Error.WriteLine($"{kind}: {text}");
    }
}
