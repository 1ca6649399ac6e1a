using System.Diagnostics;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Training.Tests.Distributed;

/// <summary>Runs this assembly's <see cref="RankProgram"/>, alone or several times under mpirun.</summary>
internal static class MpiRun
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    /// <summary>Starts a run.</summary>
    /// <param name="processes">0 starts the program alone, without mpirun.</param> <param name="variables">More environment variables.</param>
    /// <param name="arguments">Of the program.</param>
    public static Process Start(int processes, IReadOnlyDictionary<string, string>? variables, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", typeof(MpiRun).Assembly.Location, RankProgram.Argument, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (processes > 0)
            Mpirun.Wrap(start, processes);
        start.Environment["OMP_NUM_THREADS"] = "1";
        start.Environment["TERM"] = "dumb"; // mpirun gives terminals, which .NET would greet with control characters
        foreach (var (name, value) in variables ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>Runs to the end; a run that hangs is killed and fails the test.</summary>
    public static (int ExitCode, string Output, string Error) Run(int processes, IReadOnlyDictionary<string, string>? variables, params string[] arguments)
    {
        using var process = Start(processes, variables, arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(s_limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"The run did not end within {s_limit}.");
        }
        return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }
}
