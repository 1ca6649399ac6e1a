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
            new InspectVerb(), new ConvertVerb(), new SynthVerb(), new BenchVerb(), new DoctorVerb(), new Verbs.Train.TrainVerb(),
        };
        root.Options.OfType<HelpOption>().Single().Action = new HelpWithExamples();
        return root;
    }

    private static int Misused(ParseResult parse)
    {
        string verb = parse.CommandResult.Command is RootCommand ? "flamingo" : $"flamingo {parse.CommandResult.Command.Name}";
        string message = parse.CommandResult.Command is RootCommand or Verbs.Train.TrainVerb && parse.Tokens.Count == 0
            ? "No verb was given." : parse.Errors[0].Message;
        Terminal.Fail($"{message} See '{verb} --help'.");
        return ExitCode.Usage;
    }

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
