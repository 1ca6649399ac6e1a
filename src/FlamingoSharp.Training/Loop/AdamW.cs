using FlamingoSharp.Runtime;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>Parameters that share a weight decay and a learning rate.</summary>
/// <param name="Parameters">What is trained.</param>
/// <param name="WeightDecay">Share of each value that is taken away in a step with learning rate 1, independent of the gradient.</param>
/// <param name="RateScale">Factor on the step's learning rate.</param>
internal sealed record AdamWGroup(IReadOnlyList<Parameter> Parameters, double WeightDecay, double RateScale = 1);

/// <summary>What the optimiser remembers of one parameter. Its tensors belong to the optimiser.</summary>
internal sealed class AdamWState(Parameter parameter, AdamWGroup group)
{
    /// <summary>The parameter.</summary>
    public Parameter Parameter => parameter;

    /// <summary>What holds for its group.</summary>
    public AdamWGroup Group => group;

    /// <summary>Steps that this parameter took part in; those without a gradient do not count.</summary>
    public long Step { get; internal set; }

    /// <summary>Running average of the gradient, of the parameter's shape; null before the first step.</summary>
    public Tensor? ExpAvg { get; internal set; }

    /// <summary>Running average of the squared gradient; null before the first step.</summary>
    public Tensor? ExpAvgSq { get; internal set; }
}

/// <summary>Adam with decoupled weight decay and bias correction.</summary>
/// <remarks>
/// Source: Decoupled Weight Decay Regularization (arXiv 1711.05101), in torch's order of operations. TorchSharp's own makes scalars that
/// the collector may take away in the middle of a step; see <see cref="HeldScalars"/>.
/// </remarks>
internal sealed class AdamW : IDisposable
{
    /// <summary>Share of the old average of gradients that a step keeps.</summary>
    public const double Beta1 = 0.9;

    /// <summary>Share of the old average of squared gradients that a step keeps.</summary>
    public const double Beta2 = 0.999;

    /// <summary>Keeps the quotient finite.</summary>
    public const double Epsilon = 1e-8;

    private readonly List<AdamWState> _states;

    /// <param name="groups">All that is trained.</param>
    public AdamW(params IEnumerable<AdamWGroup> groups) =>
        _states = [.. from @group in groups from parameter in @group.Parameters select new AdamWState(parameter, @group)];

    /// <summary>One entry a parameter, in the order of the groups: what a checkpoint must keep to go on.</summary>
    public IReadOnlyList<AdamWState> States => _states;

    /// <summary>Moves every parameter that has a gradient.</summary>
    /// <param name="rate">The learning rate of this step.</param>
    public void Step(double rate)
    {
        using var quiet = no_grad();
        foreach (var state in _states)
        {
            using var scope = NewDisposeScope();
            if (state.Parameter.grad is { } gradient)
                Move(state, gradient, rate * state.Group.RateScale);
        }
    }

    /// <summary>Forgets all gradients.</summary>
    public void ZeroGradients()
    {
        foreach (var state in _states)
        {
            using var gradient = state.Parameter.grad;
            if (gradient is not null)
                state.Parameter.grad = null;
        }
    }

    /// <summary>Puts a parameter's memory back as a checkpoint kept it.</summary>
    /// <param name="index">Place in <see cref="States"/>.</param> <param name="step">Steps taken.</param>
    /// <param name="expAvg">Copied; of the parameter's shape.</param> <param name="expAvgSq">As <paramref name="expAvg"/>.</param>
    /// <exception cref="FlamingoException">The shapes are not the parameter's.</exception>
    public void Restore(int index, long step, Tensor expAvg, Tensor expAvgSq)
    {
        var state = _states[index];
        foreach (var given in new[] { expAvg, expAvgSq })
        {
            if (!given.shape.SequenceEqual(state.Parameter.shape))
                throw new FlamingoException(FlamingoErrorKind.Model,
                    $"The optimiser's memory of parameter {index} is [{string.Join(", ", given.shape)}] but the parameter is [{string.Join(", ", state.Parameter.shape)}]. The checkpoint belongs to another model.");
        }
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        Forget(state);
        Tensor Own(Tensor given) => given.to(state.Parameter.dtype, state.Parameter.device, copy: true).DetachFromDisposeScope();
        (state.Step, state.ExpAvg, state.ExpAvgSq) = (step, Own(expAvg), Own(expAvgSq));
    }

    /// <inheritdoc/>
    public void Dispose() => _states.ForEach(Forget);

    private static void Move(AdamWState state, Tensor gradient, double rate)
    {
        var mean = state.ExpAvg ??= zeros_like(gradient).DetachFromDisposeScope();
        var square = state.ExpAvgSq ??= zeros_like(gradient).DetachFromDisposeScope();
        state.Step++;
        if (state.Group.WeightDecay != 0)
            state.Parameter.MultiplyInPlace(1 - rate * state.Group.WeightDecay);
        mean.MultiplyInPlace(Beta1).AddScaledInPlace(gradient, 1 - Beta1);
        square.MultiplyInPlace(Beta2).AddProductInPlace(gradient, gradient, 1 - Beta2);
        double correction1 = 1 - Math.Pow(Beta1, state.Step), correction2 = 1 - Math.Pow(Beta2, state.Step);
        var deviation = square.sqrt().MultiplyInPlace(1 / Math.Sqrt(correction2)).AddInPlace(Epsilon);
        state.Parameter.AddQuotientInPlace(mean, deviation, -rate / correction1);
    }

    private static void Forget(AdamWState state)
    {
        state.ExpAvg?.Dispose();
        state.ExpAvgSq?.Dispose();
        (state.ExpAvg, state.ExpAvgSq) = (null, null);
    }
}
