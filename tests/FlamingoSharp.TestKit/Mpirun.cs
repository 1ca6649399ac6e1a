using System.Diagnostics;
using Xunit;

namespace FlamingoSharp.TestKit;

/// <summary>Runs programs under Open MPI's mpirun, several processes on this machine.</summary>
public static class Mpirun
{
    private static readonly string[] s_arguments = ["--allow-run-as-root", "--oversubscribe", "--bind-to", "none"];

    /// <summary>Skips a test where mpirun is not installed.</summary>
    public static void Require() => Assert.SkipUnless(
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(f => File.Exists(Path.Combine(f, "mpirun"))),
        "mpirun is not installed (Debian: openmpi-bin)");

    /// <summary>What is started instead of a command, to run it several times together.</summary>
    public static ProcessStartInfo Wrap(ProcessStartInfo command, int processes)
    {
        ArgumentNullException.ThrowIfNull(command);
        string[] own = [command.FileName, .. command.ArgumentList];
        command.FileName = "mpirun";
        command.ArgumentList.Clear();
        foreach (string argument in (string[])[.. s_arguments, "-np", $"{processes}", .. own])
            command.ArgumentList.Add(argument);
        // One machine, and a container may forbid reading the memory of other processes.
        command.Environment["OMPI_MCA_btl"] = "self,vader";
        command.Environment["OMPI_MCA_btl_vader_single_copy_mechanism"] = "none";
        return command;
    }
}
