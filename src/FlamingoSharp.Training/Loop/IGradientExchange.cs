using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>The processes that train one model together. Every process makes the same calls in the same order.</summary>
/// <remarks>
/// With R processes and an accumulation of A, step s takes the micro-batches s·A·R … (s+1)·A·R - 1 of the run, process r every R-th of
/// them. Process 0 alone validates and writes.
/// </remarks>
internal interface IGradientExchange
{
    /// <summary>Number of this process, from 0.</summary>
    int Rank { get; }

    /// <summary>Number of processes.</summary>
    int Size { get; }

    /// <summary>Called once, before anything else: what learns, in the same order in every process. Process 0's values become everybody's.</summary>
    void Attach(IReadOnlyList<Parameter> parameters);

    /// <summary>
    /// The coming backward pass is the last before <see cref="Average"/>: a gradient may be sent as soon as it is there. There is no
    /// backward pass at all if this process leaves its micro-batch out.
    /// </summary>
    void BeforeBackward();

    /// <summary>
    /// Makes every parameter's gradient the mean over the processes; a process without one counts as 0, and a parameter that no process
    /// has a gradient of keeps none.
    /// </summary>
    void Average();

    /// <summary>Makes every number the sum over the processes.</summary>
    void Sum(Span<double> values);

    /// <summary>Makes a tensor in every process that of process 0.</summary>
    void Broadcast(Tensor tensor);

    /// <summary>Waits until every process is here.</summary>
    void Barrier();
}

/// <summary>One process, which has nobody to wait for.</summary>
internal sealed class SingleProcess : IGradientExchange
{
    /// <summary>The only one needed.</summary>
    public static SingleProcess Instance { get; } = new();

    /// <inheritdoc/>
    public int Rank => 0;

    /// <inheritdoc/>
    public int Size => 1;

    /// <inheritdoc/>
    public void Attach(IReadOnlyList<Parameter> parameters)
    {
    }

    /// <inheritdoc/>
    public void BeforeBackward()
    {
    }

    /// <inheritdoc/>
    public void Average()
    {
    }

    /// <inheritdoc/>
    public void Sum(Span<double> values)
    {
    }

    /// <inheritdoc/>
    public void Broadcast(Tensor tensor)
    {
    }

    /// <inheritdoc/>
    public void Barrier()
    {
    }
}
