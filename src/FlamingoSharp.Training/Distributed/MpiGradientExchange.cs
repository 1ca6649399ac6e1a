using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Distributed;

/// <summary>Averages gradients over the processes of mpirun, while the backward pass that makes them still runs.</summary>
/// <remarks>
/// Gradients travel in buckets, always in the same order, since every process must send the same. The order is that of the first backward
/// pass of process 0: a bucket is full, and leaves, long before the pass is over. Where libtorch has no hooks, or a gradient still grew after
/// it had left (a parameter whose gradient comes in several pieces), all leave after the pass.
/// </remarks>
internal sealed unsafe class MpiGradientExchange : IGradientExchange, IDisposable
{
    /// <summary>Size of a bucket, in bytes: large enough to fill the wire, small enough that the first leaves early.</summary>
    public const long BucketBytes = 4 << 20;

    private const long Piece = 1 << 24; // numbers of a tensor sent at once

    private readonly MpiCommunicator _mpi;
    private readonly long _bucketBytes;
    private IReadOnlyList<Parameter> _parameters = [];
    private List<GradientBucket> _buckets = [];
    private AccumulationHooks? _hooks;
    private int[] _bucketOf = [];
    private int[] _missing = []; // gradients that a bucket still waits for
    private bool[] _arrived = [];
    private List<int>? _order = []; // of arrival, until it is known
    private PendingOperation[] _sent = [];
    private int _next; // the first bucket that has not left
    private bool _watching, _late, _overlaps = true;

    /// <param name="mpi">The other processes.</param> <param name="bucketBytes">Size of a bucket.</param>
    /// <param name="overlap">False lets gradients leave after the backward pass alone, for comparison.</param>
    public MpiGradientExchange(MpiCommunicator mpi, long bucketBytes = BucketBytes, bool overlap = true) =>
        (_mpi, _bucketBytes, _overlaps) = (mpi, bucketBytes, overlap);

    /// <inheritdoc/>
    public int Rank => _mpi.Rank;

    /// <inheritdoc/>
    public int Size => _mpi.Size;

    /// <summary>Where the time went.</summary>
    public ExchangeTiming Timing { get; } = new();

    /// <summary>False if gradients leave after the backward pass alone.</summary>
    public bool Overlaps => _overlaps && _hooks is not null;

    /// <inheritdoc/>
    /// <exception cref="FlamingoException">Another process trains other parameters.</exception>
    public void Attach(IReadOnlyList<Parameter> parameters)
    {
        RequireSame(parameters);
        foreach (var parameter in parameters)
            Broadcast(parameter);
        _parameters = parameters;
        _arrived = new bool[parameters.Count];
        Lay(Enumerable.Range(0, parameters.Count).Reverse());
        if (_overlaps)
            _hooks = AccumulationHooks.TryAttach(parameters, Arrived);
    }

    /// <inheritdoc/>
    public void BeforeBackward()
    {
        Array.Clear(_arrived);
        _order?.Clear();
        for (int i = 0; i < _buckets.Count; i++)
            _missing[i] = _buckets[i].Members.Count;
        (_next, _late, _watching) = (0, false, true);
    }

    /// <inheritdoc/>
    /// <exception cref="FlamingoException">Another process is gone.</exception>
    public void Average()
    {
        _watching = false;
        _hooks?.ThrowIfFailed();
        long waiting = Stopwatch.GetTimestamp();
        while (_next < _buckets.Count)
            Send(_next++);
        float[] owners = Owners();
        _mpi.Sum(owners.AsSpan());
        foreach (var operation in _sent)
            _mpi.Wait(operation);
        Timing.Add(_sent, waiting);
        if (owners[^1] > 0)
            SendAgain();
        foreach (var bucket in _buckets)
            bucket.Empty(1.0 / Size, i => owners[i] > 0);
        LearnOrder();
    }

    /// <inheritdoc/>
    public void Sum(Span<double> values) => _mpi.Sum(values);

    /// <inheritdoc/>
    public void Broadcast(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var host = tensor.detach().to(CPU).contiguous(); // the tensor itself, as a rule
        var flat = host.view(-1);
        for (long start = 0; start < flat.numel(); start += Piece)
            _mpi.Broadcast(flat.narrow(0, start, Math.Min(Piece, flat.numel() - start)).bytes);
        if (Rank != 0)
            tensor.detach().copy_(host);
    }

    /// <inheritdoc/>
    public void Barrier() => _mpi.Barrier();

    /// <inheritdoc/>
    public void Dispose()
    {
        _hooks?.Dispose();
        _buckets.ForEach(b => b.Dispose());
    }

    private void Lay(IEnumerable<int> order)
    {
        _buckets.ForEach(b => b.Dispose());
        _buckets = GradientBucket.Layout(_parameters, order, _bucketBytes);
        _bucketOf = new int[_parameters.Count];
        for (int i = 0; i < _buckets.Count; i++)
        {
            foreach (int member in _buckets[i].Members)
                _bucketOf[member] = i;
        }
        _missing = new int[_buckets.Count];
        _sent = new PendingOperation[_buckets.Count];
    }

    // Called in the middle of the backward pass.
    private void Arrived(int index)
    {
        if (!_watching)
            return;
        if (_arrived[index])
        {
            _late = true; // what has left is not all of it
            return;
        }
        _arrived[index] = true;
        _order?.Add(index);
        _missing[_bucketOf[index]]--;
        while (_overlaps && _next < _buckets.Count && _missing[_next] == 0)
            Send(_next++);
    }

    private void Send(int bucket) => _sent[bucket] = _mpi.StartSum(_buckets[bucket].Values, _buckets[bucket].Length, _buckets[bucket].Fill);

    // For every parameter 1 if this process has a gradient of it; then 1 if one has changed after it left.
    private float[] Owners()
    {
        float[] owners = new float[_parameters.Count + 1];
        using var scope = NewDisposeScope();
        for (int i = 0; i < _parameters.Count; i++)
            owners[i] = _parameters[i].grad is null ? 0 : 1;
        owners[^1] = _late ? 1 : 0;
        return owners;
    }

    private void SendAgain()
    {
        (_overlaps, _order) = (false, null);
        for (int i = 0; i < _buckets.Count; i++)
            Send(i);
        foreach (var operation in _sent)
            _mpi.Wait(operation);
    }

    private void LearnOrder()
    {
        if (_order is null || !_overlaps)
            return;
        int[] order = Rank == 0 ? [.. _order, .. Enumerable.Range(0, _parameters.Count).Reverse().Except(_order)] : new int[_parameters.Count];
        _mpi.Broadcast(MemoryMarshal.AsBytes(order.AsSpan()));
        _order = null;
        Lay(order);
    }

    private void RequireSame(IReadOnlyList<Parameter> parameters)
    {
        string described = string.Join('\n', parameters.Select(p => $"{p.dtype} [{string.Join(", ", p.shape)}]"));
        byte[][] all = _mpi.Gather(SHA256.HashData(Encoding.UTF8.GetBytes(described)));
        int other = Array.FindIndex(all, h => !h.AsSpan().SequenceEqual(all[0]));
        if (other >= 0)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"Process {other} of this run trains other parameters than process 0. Start all of them with the same options, on the same files.");
        }
    }
}
