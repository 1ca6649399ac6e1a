using System.Diagnostics;
using System.Text;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Cli.Tests;

/// <summary>What a finished process left.</summary>
internal sealed record ProcessOutcome(int ExitCode, string Output, string Error)
{
    /// <summary>Lines of standard output.</summary>
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>Runs the real command line in a process of its own.</summary>
internal static class ProcessRunner
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(4);

    /// <summary>Runs it to the end.</summary>
    /// <param name="folder">The working folder.</param> <param name="input">Standard input.</param> <param name="variables">More environment variables.</param>
    /// <param name="arguments">The arguments.</param>
    public static ProcessOutcome RunIn(
        string? folder, string? input, IReadOnlyDictionary<string, string>? variables, params IReadOnlyList<string> arguments)
    {
        using var process = Start(folder, variables, arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        return Finish(process, output, error);
    }

    /// <summary>Runs it without input, in the tests' own folder.</summary>
    public static ProcessOutcome Run(params IReadOnlyList<string> arguments) => RunIn(null, null, null, arguments);

    /// <summary>Starts it, for a conversation; the caller disposes it.</summary>
    /// <param name="folder">The working folder.</param> <param name="variables">More environment variables.</param> <param name="arguments">The arguments.</param>
    /// <param name="processes">More than 1 starts that many together, under mpirun.</param>
    public static Process Start(string? folder, IReadOnlyDictionary<string, string>? variables, IReadOnlyList<string> arguments, int processes = 1)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            WorkingDirectory = folder ?? AppContext.BaseDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "flamingo.dll"));
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment.Remove("FLAMINGO_MODEL");
        start.Environment.Remove("FLAMINGO_DEBUG");
        foreach (var (name, value) in variables ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        if (processes > 1)
            Mpirun.Wrap(start, processes);
        return Process.Start(start)!;
    }

    /// <summary>Waits for the end; a process that hangs is killed and fails the test.</summary>
    public static ProcessOutcome Finish(Process process, Task<string> output, Task<string> error)
    {
        if (!process.WaitForExit(s_limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"flamingo did not end within {s_limit}.");
        }
        return new ProcessOutcome(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }
}
