using System.Diagnostics;

namespace FlamingoSharp.Training.Tests.Distributed;

/// <summary>Runs this assembly's <see cref="RankProgram"/>, alone or several times under mpirun.</summary>
internal static class MpiRun
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    /// <summary>Skips a test where mpirun is not installed.</summary>
    public static void Require() => Assert.SkipUnless(
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(f => File.Exists(Path.Combine(f, "mpirun"))),
        "mpirun is not installed (Debian: openmpi-bin)");

    /// <summary>Starts a run.</summary>
    /// <param name="processes">0 starts the program alone, without mpirun.</param> <param name="variables">More environment variables.</param>
    /// <param name="arguments">Of the program.</param>
    public static Process Start(int processes, IReadOnlyDictionary<string, string>? variables, params string[] arguments)
    {
        string[] command = ["dotnet", typeof(MpiRun).Assembly.Location, "rank", .. arguments];
        if (processes > 0)
            command = ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-np", $"{processes}", .. command];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        // One machine, and a container may forbid reading the memory of other processes.
        start.Environment["OMPI_MCA_btl"] = "self,vader";
        start.Environment["OMPI_MCA_btl_vader_single_copy_mechanism"] = "none";
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
