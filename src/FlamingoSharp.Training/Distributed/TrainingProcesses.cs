using FlamingoSharp.Runtime;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Distributed;

/// <summary>The processes of a training run: one, or those that mpirun has started together.</summary>
/// <example><code>
/// using var processes = TrainingProcesses.Join();
/// new TrainingLoop(task, options, processes.Exchange).Run(cancellation);
/// processes.Leave();
/// </code></example>
internal sealed class TrainingProcesses : IDisposable
{
    private readonly MpiCommunicator? _mpi;
    private readonly MpiGradientExchange? _exchange;

    private TrainingProcesses(MpiCommunicator? mpi)
    {
        _mpi = mpi;
        _exchange = mpi is null ? null : new MpiGradientExchange(mpi);
    }

    /// <summary>What the loop exchanges gradients through.</summary>
    public IGradientExchange Exchange => _exchange is null ? SingleProcess.Instance : _exchange;

    /// <summary>True in the process that writes and speaks for all.</summary>
    public bool IsFirst => Exchange.Rank == 0;

    /// <summary>Where the time of exchanging went; null in a run of one process.</summary>
    public ExchangeTiming? Timing => _exchange?.Timing;

    /// <summary>Joins the processes of this run, and shares the machine's cores with those beside it.</summary>
    /// <param name="threads">Threads for computing that the user has named; null shares the cores.</param>
    /// <exception cref="FlamingoException">mpirun has started this process, but Open MPI is not installed or cannot start.</exception>
    public static TrainingProcesses Join(int? threads = null)
    {
        var mpi = MpiCommunicator.Join();
        if (mpi is not null && threads is null && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OMP_NUM_THREADS")))
        {
            NativeRuntime.EnsureLoaded();
            set_num_threads(MpiLaunch.Current!.Threads(Environment.ProcessorCount));
        }
        return new TrainingProcesses(mpi);
    }

    /// <summary>Ends the run in order, together with the other processes. One that ends without it makes mpirun end the others.</summary>
    public void Leave() => _mpi?.Leave();

    /// <inheritdoc/>
    public void Dispose() => _exchange?.Dispose();
}
