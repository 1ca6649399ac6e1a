using System.Globalization;

namespace FlamingoSharp.Training.Distributed;

/// <summary>The processes that mpirun has started together, and what they do together. Every process makes the same calls in the same order.</summary>
/// <remarks>
/// A process that ends without <see cref="Leave"/>, by an error or a kill, makes mpirun end the others. One that hangs does not: the others
/// give up after <see cref="PatienceVariable"/>.
/// </remarks>
internal sealed unsafe class MpiCommunicator
{
    /// <summary>Seconds after which waiting for another process is given up; 3600.</summary>
    public const string PatienceVariable = "FLAMINGO_MPI_PATIENCE";

    private const int Piece = 1 << 28; // bytes; Open MPI counts in 31 bits

    private static readonly Lock s_gate = new();
    private static MpiCommunicator? s_current;

    private readonly CommunicationThread _thread;
    private bool _left;

    private MpiCommunicator()
    {
        _thread = new CommunicationThread(PatienceOf(Environment.GetEnvironmentVariable(PatienceVariable)));
        (Rank, Size) = _thread.Join();
    }

    /// <summary>Number of this process, from 0.</summary>
    public int Rank { get; }

    /// <summary>Number of processes.</summary>
    public int Size { get; }

    /// <summary>Joins the other processes, once; later calls give the same. Null if mpirun has not started this process with others.</summary>
    /// <exception cref="FlamingoException">Open MPI is not installed, or cannot start.</exception>
    public static MpiCommunicator? Join()
    {
        if (MpiLaunch.Current is null)
            return null;
        lock (s_gate)
            return s_current ??= new MpiCommunicator();
    }

    /// <summary>Begins to make numbers the sums over all processes.</summary>
    /// <param name="values">They stay where they are until that is done.</param> <param name="count">How many.</param>
    /// <param name="prepare">Called just before, on the thread that sends.</param>
    /// <returns>To be waited for by <see cref="Wait"/>.</returns>
    public PendingOperation StartSum(float* values, int count, Action? prepare = null)
    {
        nint address = (nint)values;
        return _thread.Give(mpi =>
        {
            prepare?.Invoke();
            return mpi.AllReduceFloats(address, count);
        });
    }

    /// <summary>Waits for what was begun.</summary>
    /// <exception cref="FlamingoException">Another process is gone.</exception>
    public void Wait(PendingOperation operation) => _thread.Wait(operation);

    /// <summary>Makes numbers the sums over all processes.</summary>
    public void Sum(Span<float> values)
    {
        fixed (float* at = values)
            Wait(StartSum(at, values.Length));
    }

    /// <inheritdoc cref="Sum(Span{float})"/>
    public void Sum(Span<double> values)
    {
        fixed (double* at = values)
        {
            nint address = (nint)at;
            int count = values.Length;
            Wait(_thread.Give(mpi => mpi.AllReduceDoubles(address, count)));
        }
    }

    /// <summary>Makes bytes in every process those of one.</summary>
    /// <param name="bytes">Of the same length everywhere.</param> <param name="root">Whose.</param>
    public void Broadcast(Span<byte> bytes, int root = 0)
    {
        fixed (byte* at = bytes)
        {
            for (int start = 0; start < bytes.Length; start += Piece)
            {
                nint address = (nint)(at + start);
                int count = Math.Min(Piece, bytes.Length - start);
                Wait(_thread.Give(mpi => mpi.Broadcast(address, count, root)));
            }
        }
    }

    /// <summary>Gives every process the bytes of all, by their numbers.</summary>
    public byte[][] Gather(ReadOnlySpan<byte> own)
    {
        double[] lengths = new double[Size];
        lengths[Rank] = own.Length;
        Sum(lengths);
        byte[][] all = [.. lengths.Select(n => new byte[(int)n])];
        own.CopyTo(all[Rank]);
        for (int i = 0; i < Size; i++)
            Broadcast(all[i], i);
        return all;
    }

    /// <summary>Waits until every process is here.</summary>
    public void Barrier() => Wait(_thread.Give(mpi => mpi.Barrier()));

    /// <summary>Leaves the run in order, if it was joined; the last thing that a process does, together with the others.</summary>
    public static void Leave()
    {
        lock (s_gate)
        {
            if (s_current is not { _left: false } current)
                return;
            current._left = true;
            current._thread.Leave();
        }
    }

    /// <summary>Reads the value of <see cref="PatienceVariable"/>.</summary>
    /// <exception cref="FlamingoException">It is no positive number.</exception>
    internal static TimeSpan PatienceOf(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return TimeSpan.FromHours(1);
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && seconds is > 0 and < 1e9
            ? TimeSpan.FromSeconds(seconds)
            : throw new FlamingoException(FlamingoErrorKind.Usage, $"{PatienceVariable} is '{text}'; it must be a number of seconds above 0.");
    }
}
