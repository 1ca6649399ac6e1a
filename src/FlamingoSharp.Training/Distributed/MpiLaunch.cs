using System.Globalization;

namespace FlamingoSharp.Training.Distributed;

/// <summary>What mpirun has told this process; without mpirun, MPI is never touched.</summary>
/// <param name="Rank">Number of this process, from 0.</param> <param name="Size">Processes of the run.</param>
/// <param name="LocalSize">Of these, on this machine.</param>
internal sealed record MpiLaunch(int Rank, int Size, int LocalSize)
{
    /// <summary>The launch of this process; null if it was not started by mpirun, or alone.</summary>
    public static MpiLaunch? Current { get; } = Read(Environment.GetEnvironmentVariable);

    /// <summary>Reads a launch from the variables that Open MPI sets.</summary>
    public static MpiLaunch? Read(Func<string, string?> variable)
    {
        int? Number(string name) => int.TryParse(variable($"OMPI_COMM_WORLD_{name}"), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;
        return Number("RANK") is { } rank && Number("SIZE") is { } size and > 1 ? new MpiLaunch(rank, size, Number("LOCAL_SIZE") ?? 1) : null;
    }

    /// <summary>Threads that a process is to compute with where the user names no number: its share of this machine's cores.</summary>
    /// <param name="cores">That it may use.</param> <param name="variable">OMP_NUM_THREADS, which goes before.</param>
    /// <returns>Null leaves it to torch.</returns>
    public int? Threads(int cores, string? variable) => string.IsNullOrEmpty(variable) ? Math.Max(1, cores / LocalSize) : null;
}
