namespace FlamingoSharp.Training.Distributed;

/// <summary>The processes of a training run: one, or those that mpirun has started together.</summary>
internal static class TrainingProcesses
{
    /// <summary>True in the process that writes and speaks for all.</summary>
    public static bool IsFirst => MpiLaunch.Current is null or { Rank: 0 };

    /// <summary>Joins the other processes of this run, if there are any.</summary>
    /// <returns>What the loop exchanges gradients through.</returns>
    /// <exception cref="FlamingoException">mpirun has started this process, but Open MPI is not installed or cannot start.</exception>
    public static IGradientExchange Join() => MpiCommunicator.Join() is { } mpi ? new MpiGradientExchange(mpi) : SingleProcess.Instance;
}
