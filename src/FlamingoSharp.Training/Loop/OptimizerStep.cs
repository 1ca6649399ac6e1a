using FlamingoSharp.Runtime;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>Gathers the gradients of micro-batches into steps: backward pass, average over processes, mask, clipping, AdamW.</summary>
/// <remarks>Source: train_one_epoch of Audio Flamingo 1, the path without sharding.</remarks>
internal sealed class OptimizerStep : IDisposable
{
    private readonly OptimizationOptions _options;
    private readonly IGradientExchange _exchange;
    private readonly List<Parameter[]> _clipSets;

    /// <param name="groups">What learns.</param> <param name="options">How; the groups' own decays count.</param>
    /// <param name="exchange">The other processes; null if there are none.</param>
    public OptimizerStep(IReadOnlyList<ParameterGroup> groups, OptimizationOptions options, IGradientExchange? exchange = null)
    {
        (_options, _exchange) = (options, exchange ?? SingleProcess.Instance);
        Optimizer = new AdamW(groups.Select(g => new AdamWGroup([.. g.Parameters.Select(p => p.Parameter)], g.WeightDecay, g.LearningRateScale)));
        _clipSets = [.. groups.GroupBy(g => g.ClipSet).Select(s => s.SelectMany(g => g.Parameters).Select(p => p.Parameter).ToArray())];
        _exchange.Attach([.. Optimizer.States.Select(s => s.Parameter)]);
    }

    /// <summary>The optimiser, whose memory checkpoints keep.</summary>
    public AdamW Optimizer { get; }

    /// <summary>Adds the gradient of a micro-batch.</summary>
    /// <param name="loss">[]; null leaves this process's micro-batch out, as if its gradient were 0.</param>
    /// <param name="last">True for the last micro-batch before <see cref="Apply"/>.</param>
    /// <param name="mask">Called once the gradients are whole, before clipping.</param>
    /// <returns>The norm of the accumulated gradients before clipping, over all clipping sets; 0 for micro-batches after which nothing is clipped.</returns>
    public double Add(Tensor? loss, bool last, Action mask)
    {
        // The reference clips the accumulated gradient after every micro-batch, not once before the step.
        bool whole = last || _options.ClipEachMicroBatch;
        if (whole)
            _exchange.BeforeBackward();
        if (loss is not null)
        {
            using var scope = NewDisposeScope();
            loss.Times(1.0 / _options.Accumulation).backward();
        }
        if (!whole)
            return 0;
        _exchange.Average();
        mask();
        return Clip();
    }

    /// <summary>Moves the parameters by the gradients gathered, and forgets these.</summary>
    /// <param name="rate">The learning rate.</param>
    public void Apply(double rate)
    {
        Optimizer.Step(rate);
        Optimizer.ZeroGradients();
    }

    /// <summary>Forgets the gradients gathered.</summary>
    public void Drop() => Optimizer.ZeroGradients();

    /// <inheritdoc/>
    public void Dispose() => Optimizer.Dispose();

    private double Clip()
    {
        using var scope = NewDisposeScope();
        double squares = 0, only = 0;
        foreach (var set in _clipSets)
        {
            var learned = set.Where(p => p.grad is not null).ToArray();
            only = learned.Length == 0 ? 0 : nn.utils.clip_grad_norm_(learned, _options.ClipNorm);
            squares += only * only;
        }
        return _clipSets.Count == 1 ? only : Math.Sqrt(squares);
    }
}
