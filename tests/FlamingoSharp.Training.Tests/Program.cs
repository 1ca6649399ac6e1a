using FlamingoSharp.Training.Tests.Loop;

namespace FlamingoSharp.Training.Tests;

/// <summary>The tests; or, for tests that start processes and kill them, one such process.</summary>
internal static class Program
{
    public static int Main(string[] args) => args is [KilledRun.Argument, .. var rest]
        ? KilledRun.Run(rest)
        : Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args).GetAwaiter().GetResult();
}
