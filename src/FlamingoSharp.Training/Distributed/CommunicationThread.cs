using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace FlamingoSharp.Training.Distributed;

/// <summary>Something that processes do together, on its way.</summary>
internal sealed class PendingOperation
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Begins it, and gives Open MPI's request.</summary>
    public required Func<OpenMpi, nint> Start { get; init; }

    /// <summary>When it was begun and done, by <see cref="Stopwatch.GetTimestamp"/>.</summary>
    public long Begun { get; private set; }

    /// <inheritdoc cref="Begun"/>
    public long Ended { get; private set; }

    internal nint Request; // a field: its address is given away

    /// <summary>Waits until it is done.</summary>
    /// <exception cref="FlamingoException">It failed.</exception>
    public void Wait() => _done.Task.GetAwaiter().GetResult();

    internal void Begin(OpenMpi mpi) => (Begun, Request) = (Stopwatch.GetTimestamp(), Start(mpi));

    internal void End()
    {
        Ended = Stopwatch.GetTimestamp();
        _done.SetResult();
    }

    internal void Fail(Exception error) => _done.TrySetException(error);
}

/// <summary>The one thread of a process that talks to the others: begins operations in the order in which they are given, and moves them on.</summary>
/// <remarks>Open MPI's own waiting takes a whole core, which on a shared machine is taken from the model; this waits in short sleeps.</remarks>
internal sealed partial class CommunicationThread
{
    private readonly ConcurrentQueue<PendingOperation> _given = new();
    private readonly SemaphoreSlim _arrival = new(0);
    private readonly TimeSpan _patience;
    private readonly TaskCompletionSource<(OpenMpi Mpi, int Rank, int Size)> _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private volatile int _waiting; // threads that have nothing else to do
    private volatile bool _leave;
    private Exception? _failure;

    /// <param name="patience">After which waiting for another process is given up.</param>
    public CommunicationThread(TimeSpan patience)
    {
        _patience = patience;
        _thread = new Thread(Run) { Name = "MPI", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Waits until all processes are there.</summary>
    /// <returns>This one's number, and how many they are.</returns>
    public (int Rank, int Size) Join()
    {
        var (_, rank, size) = _joined.Task.GetAwaiter().GetResult();
        return (rank, size);
    }

    /// <summary>Gives an operation to be begun after those given before.</summary>
    public PendingOperation Give(Func<OpenMpi, nint> start)
    {
        var operation = new PendingOperation { Start = start };
        _given.Enqueue(operation);
        _arrival.Release();
        return operation;
    }

    /// <summary>Waits for an operation.</summary>
    /// <exception cref="FlamingoException">It failed.</exception>
    public void Wait(PendingOperation operation)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            operation.Wait();
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>Leaves the run in order, together with the other processes.</summary>
    public void Leave()
    {
        _leave = true;
        _arrival.Release();
        _thread.Join();
        if (_failure is not null)
            throw _failure;
    }

    private void Run()
    {
        try
        {
            var mpi = OpenMpi.Start();
            _joined.SetResult((mpi, mpi.Rank(), mpi.Size()));
            Serve(mpi);
            mpi.Leave();
        }
#pragma warning disable CA1031 // handed to those who wait
        catch (Exception e)
#pragma warning restore CA1031
        {
            _failure = e;
            if (_joined.TrySetException(e))
                return;
            while (!_leave)
            {
                while (_given.TryDequeue(out var late))
                    late.Fail(e);
                _arrival.Wait();
            }
        }
    }

    private void Serve(OpenMpi mpi)
    {
        var active = new List<PendingOperation>();
        long idle = 0; // time of the last progress
        try
        {
            while (true)
            {
                while (_given.TryDequeue(out var next))
                {
                    active.Add(next);
                    next.Begin(mpi);
                    idle = Stopwatch.GetTimestamp();
                }
                if (active.Count == 0)
                {
                    if (_leave)
                        return;
                    _arrival.Wait();
                    continue;
                }
                int before = active.Count;
                active.RemoveAll(o => IsDone(mpi, o));
                if (active.Count < before)
                    idle = Stopwatch.GetTimestamp();
                else
                    Rest(Stopwatch.GetElapsedTime(idle));
            }
        }
        catch (Exception e)
        {
            active.ForEach(o => o.Fail(e));
            throw;
        }
    }

    private static bool IsDone(OpenMpi mpi, PendingOperation operation)
    {
        if (!mpi.Test(ref operation.Request))
            return false;
        operation.End();
        return true;
    }

    // The longer nothing has happened, the longer the sleep; shorter ones while somebody waits and the model does not compute.
    private void Rest(TimeSpan idle)
    {
        if (idle > _patience)
        {
            throw new FlamingoException(FlamingoErrorKind.Device, FormattableString.Invariant(
                $"This process has waited {_patience.TotalSeconds:0} s for another one of this run, which is gone or hangs; the run is ended. Go on with --resume, or allow more time by {MpiCommunicator.PatienceVariable}=SECONDS."));
        }
        double milliseconds = idle.TotalMilliseconds;
        if (milliseconds < 1 && _waiting > 0)
            Thread.Yield();
        else
            _ = Sleep(milliseconds < 20 ? 100u : milliseconds < 1000 ? 500u : 5000u);
    }

    [LibraryImport("libc", EntryPoint = "usleep")]
    private static partial int Sleep(uint microseconds);
}
