using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>An exponential running average of parameters, which generalises better than the last step's.</summary>
internal sealed class WeightAverage : IDisposable
{
    private readonly List<(Parameter Live, Tensor Average)> _pairs;
    private readonly double _decay;

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

    /// <summary>Times that the current parameters were taken in.</summary>
    public int Updates { get; private set; }

    /// <summary>The averages, in the order of the parameters; they belong to this.</summary>
    public IReadOnlyList<Tensor> Averages => [.. _pairs.Select(p => p.Average)];

    /// <summary>Puts everything back as a checkpoint kept it.</summary>
    /// <param name="updates">As <see cref="Updates"/>.</param> <param name="averages">As <see cref="Averages"/>; copied.</param>
    public void Restore(int updates, IEnumerable<Tensor> averages)
    {
        Updates = updates;
        using var quiet = no_grad();
        foreach (var ((_, average), kept) in _pairs.Zip(averages))
            average.copy_(kept);
    }

    /// <summary>Takes the current parameters in. Early updates weigh more, so that the first values are soon forgotten.</summary>
    public void Update()
    {
        Updates++;
        double decay = Math.Min(_decay, (1.0 + Updates) / (10.0 + Updates));
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        foreach (var (live, average) in _pairs)
            average.lerp_(live, 1 - decay);
    }

    /// <summary>Puts the average in the parameters' place until the result is disposed.</summary>
    public IDisposable Apply()
    {
        Swap();
        return new Applied(this);
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

    private sealed class Applied(WeightAverage owner) : IDisposable
    {
        public void Dispose() => owner.Swap();
    }
}
