using System.Diagnostics;

namespace FlamingoSharp.Training;

/// <summary>A micro-batch that was laid out, or why it could not be.</summary>
/// <param name="Index">Its number in the run.</param> <param name="Batch">Null if it could not be laid out; belongs to the taker.</param>
/// <param name="Fault">Null if it could.</param>
internal readonly record struct PreparedBatch(long Index, ITrainingBatch? Batch, FlamingoException? Fault);

/// <summary>Lays micro-batches out on other threads while the loop computes, and hands them over in order.</summary>
internal sealed class BatchQueue : IDisposable
{
    private readonly Queue<Task<PreparedBatch>> _ahead = new();
    private readonly Func<long, ITrainingBatch> _prepare;
    private readonly TaskFactory _tasks;
    private readonly Stopwatch _waiting = new();
    private readonly long _stride, _end;
    private readonly int _depth;
    private volatile bool _stopped;
    private long _next;

    /// <param name="prepare">Lays out the micro-batch of an index; called on several threads.</param>
    /// <param name="first">The first index.</param> <param name="stride">From one to the next.</param> <param name="end">None at or above this.</param>
    /// <param name="depth">Micro-batches kept ready, or being made ready, at most.</param> <param name="threads">Threads at most.</param>
    public BatchQueue(Func<long, ITrainingBatch> prepare, long first, long stride, long end, int depth, int threads)
    {
        (_prepare, _next, _stride, _end, _depth) = (prepare, first, stride, end, depth);
        _tasks = new TaskFactory(new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, threads).ConcurrentScheduler);
        Fill();
    }

    /// <summary>Time that takers spent waiting, in all.</summary>
    public TimeSpan Waited => _waiting.Elapsed;

    /// <summary>The next micro-batch.</summary>
    /// <exception cref="InvalidOperationException">There is none left.</exception>
    public PreparedBatch Take(CancellationToken cancellation)
    {
        if (_ahead.Count == 0)
            throw new InvalidOperationException("Every micro-batch has been taken.");
        var first = _ahead.Peek();
        _waiting.Start();
        try
        {
            first.Wait(cancellation);
        }
        catch (AggregateException)
        {
            // Thrown below as it was.
        }
        finally
        {
            _waiting.Stop();
        }
        _ahead.Dequeue();
        var batch = first.GetAwaiter().GetResult();
        Fill();
        return batch;
    }

    /// <summary>Waits for what is being laid out, and lets go of it.</summary>
    public void Dispose()
    {
        _stopped = true;
        foreach (var task in _ahead)
        {
            ((IAsyncResult)task).AsyncWaitHandle.WaitOne();
            if (task.IsCompletedSuccessfully)
                task.Result.Batch?.Dispose();
            _ = task.Exception; // seen
        }
        _ahead.Clear();
    }

    private void Fill()
    {
        while (_ahead.Count < _depth && _next < _end)
        {
            long index = _next;
            _next += _stride;
            _ahead.Enqueue(_tasks.StartNew(() => Prepare(index)));
        }
    }

    private PreparedBatch Prepare(long index)
    {
        if (_stopped)
            return default;
        try
        {
            return new PreparedBatch(index, _prepare(index), null);
        }
        catch (FlamingoException e) when (e.Kind == FlamingoErrorKind.Input)
        {
            return new PreparedBatch(index, null, e);
        }
    }
}
