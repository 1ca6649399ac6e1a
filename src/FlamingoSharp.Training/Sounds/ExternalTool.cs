using System.ComponentModel;
using System.Diagnostics;

namespace FlamingoSharp.Training.Sounds;

/// <summary>Runs one of the programs that recipes are rendered with.</summary>
internal static class ExternalTool
{
    /// <summary>Runs a program to its end.</summary>
    /// <param name="program">A name on the search path.</param>
    /// <param name="package">The Debian package to install if the program is missing.</param>
    /// <param name="arguments">The command line.</param>
    /// <param name="ct">Ends the program.</param>
    /// <exception cref="FlamingoException">The program is missing, or ends with an error; its own words are passed on.</exception>
    public static void Run(string program, string package, IEnumerable<string> arguments, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        using var process = Start(start, package);
        using var stop = ct.Register(() => Kill(process));
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        ct.ThrowIfCancellationRequested();
        if (process.ExitCode != 0)
        {
            throw new FlamingoException(FlamingoErrorKind.Input,
                $"'{program}' ended with code {process.ExitCode}: {LastLine(errors + '\n' + output.Result)}");
        }
    }

    private static Process Start(ProcessStartInfo start, string package)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new FlamingoException(FlamingoErrorKind.Input,
                $"'{start.FileName}' is needed to render these sounds but cannot be started: install the package {package}.", e);
        }
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It ended by itself in the meantime.
        }
    }

    private static string LastLine(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? "it printed nothing";
}
