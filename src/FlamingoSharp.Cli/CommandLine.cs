using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.InteropServices;
using FlamingoSharp.Cli.Verbs;

namespace FlamingoSharp.Cli;

/// <summary>The verbs together, and what holds for all of them: help, usage errors, Ctrl-C, the last-resort handler.</summary>
internal static class CommandLine
{
    private static readonly string[] s_firstSteps =
    [
        "flamingo caption samples/rain.wav",
        "flamingo ask samples/rain.wav \"Is it raining?\" --yes-no",
        "flamingo doctor",
    ];

    /// <summary>Runs one command line.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            var parse = Root().Parse(args);
            if (parse.Action is ParseErrorAction)
                return Misused(parse);
            // Errors are told below, and signals heard above: the defaults would print stack traces and cut work short.
            return await parse.InvokeAsync(
                new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, stop.Token).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // the last resort
        catch (Exception e)
#pragma warning restore CA1031
        {
            return Terminal.Fail(e);
        }

        // The first signal ends the work in order, a second one at once.
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
    }

    private static RootCommand Root()
    {
        var root = new RootCommand("Audio Flamingo: describes sounds and answers questions about them.")
        {
            new CaptionVerb(), new AskVerb(), new ClassifyVerb(), new ChatVerb(),
            new PullVerb(), new InspectVerb(), new ConvertVerb(), new SynthVerb(), new BenchVerb(), new DoctorVerb(), new Verbs.Data.DataVerb(), new Verbs.Train.TrainVerb(),
        };
        root.Options.OfType<HelpOption>().Single().Action = new HelpWithExamples();
        return root;
    }

    private static int Misused(ParseResult parse)
    {
        var command = parse.CommandResult.Command;
        string path = command is RootCommand ? "flamingo"
            : command.Parents.OfType<Command>().FirstOrDefault() is { } parent and not RootCommand ? $"flamingo {parent.Name} {command.Name}" : $"flamingo {command.Name}";
        string message = command.Subcommands.Count == 0 ? WithPlainTypes(parse.Errors[0].Message)
            : parse.UnmatchedTokens is [var unknown, ..] ? $"There is no verb '{unknown}'." : "No verb was given.";
        Terminal.Fail($"{message} See '{path} --help'.");
        return ExitCode.Usage;
    }

    private static string WithPlainTypes(string message) => message
        .Replace("as expected type 'System.Int32'", "as a whole number", StringComparison.Ordinal)
        .Replace("as expected type 'System.Int64'", "as a whole number", StringComparison.Ordinal)
        .Replace("as expected type 'System.Double'", "as a number", StringComparison.Ordinal);

    /// <summary>The usual help, then examples and exit codes.</summary>
    private sealed class HelpWithExamples : SynchronousCommandLineAction
    {
        private readonly HelpAction _usual = new();

        public override int Invoke(ParseResult parseResult)
        {
            int code = _usual.Invoke(parseResult);
            var output = parseResult.InvocationConfiguration.Output;
            var examples = parseResult.CommandResult.Command is Verb verb ? verb.Examples : s_firstSteps;
            if (examples.Count > 0)
            {
                output.WriteLine("Examples:");
                foreach (string example in examples)
                    output.WriteLine($"  {example}");
                output.WriteLine();
            }
            output.WriteLine($"Exit codes: {ExitCode.Explanation}");
            return code;
        }
    }
}
