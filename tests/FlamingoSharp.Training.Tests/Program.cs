using FlamingoSharp.Training.Tests.Distributed;
using FlamingoSharp.Training.Tests.Loop;

namespace FlamingoSharp.Training.Tests;

/// <summary>The tests; or, for tests that start processes, kill them or run several under mpirun, one such process.</summary>
internal static class Program
{
    public static int Main(string[] args) => args switch
    {
        [KilledRun.Argument, .. var rest] => KilledRun.Run(rest),
        [RankProgram.Argument, .. var rest] => RankProgram.Run(rest),
        _ => Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args).GetAwaiter().GetResult(),
    };
}
