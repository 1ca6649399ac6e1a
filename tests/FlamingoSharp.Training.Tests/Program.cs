using FlamingoSharp.Training.Tests.Distributed;

namespace FlamingoSharp.Training.Tests;

/// <summary>The tests, or with <c>rank</c> as the first argument one process of a test that mpirun starts.</summary>
internal static class Program
{
    public static int Main(string[] args) => args is ["rank", .. var rest]
        ? RankProgram.Run(rest)
        : Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args).GetAwaiter().GetResult();
}
