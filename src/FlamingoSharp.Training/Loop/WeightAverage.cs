using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>An exponential running average of parameters, which generalises better than the last step's.</summary>
internal sealed class WeightAverage : IDisposable
{
    private readonly List<(Parameter Live, Tensor Average)> _pairs;
    private readonly double _decay;
    private int _updates;

    /// <param name="modules">Whose parameters are averaged.</param> <param name="decay">Share of the old average kept at each update.</param>
    public WeightAverage(IEnumerable<nn.Module> modules, double decay)
        : this(modules.SelectMany(m => m.parameters()), decay)
    {
    }

    /// <param name="parameters">What is averaged.</param> <param name="decay">Share of the old average kept at each update.</param>
    public WeightAverage(IEnumerable<Parameter> parameters, double decay)
    {
        _decay = decay;
        using var scope = NewDisposeScope();
        _pairs = [.. parameters.Select(p => (p, p.detach().clone().DetachFromDisposeScope()))];
    }

    /// <summary>Takes the current parameters in. Early updates weigh more, so that the first values are soon forgotten.</summary>
    public void Update()
    {
        _updates++;
        double decay = Math.Min(_decay, (1.0 + _updates) / (10.0 + _updates));
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        foreach (var (live, average) in _pairs)
            average.lerp_(live, 1 - decay);
    }

    /// <summary>Puts the average in the parameters' place until the result is disposed.</summary>
    public IDisposable Apply()
    {
        Swap();
        return new Restore(this);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, average) in _pairs)
            average.Dispose();
    }

    private void Swap()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        foreach (var (live, average) in _pairs)
        {
            var kept = live.clone();
            live.copy_(average);
            average.copy_(kept);
        }
    }

    private sealed class Restore(WeightAverage owner) : IDisposable
    {
        public void Dispose() => owner.Swap();
    }
}
