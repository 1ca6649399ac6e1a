using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Models;

/// <summary>What training from scratch starts from, as a checkpoint: made when it is read, the same as <see cref="ParameterInit.Initialize"/> gives.</summary>
internal sealed class FirstValues : IWeightSource
{
    private readonly Dictionary<string, WeightInfo> _weights = [];
    private readonly Dictionary<string, Func<Tensor>> _make = [];

    /// <param name="module">Has the shapes; it need not hold data, and may be disposed afterwards.</param> <param name="seed">The same seed gives the same values.</param>
    /// <param name="isNew">Which of its parameters the checkpoint holds, by name.</param>
    public FirstValues(nn.Module module, long seed, Func<string, bool> isNew)
    {
        foreach (var (path, owner) in module.named_modules().Prepend(("", module)))
        {
            foreach (var (name, parameter) in owner.named_parameters(recurse: false))
            {
                string whole = path.Length == 0 ? name : $"{path}.{name}";
                if (!isNew(whole))
                    continue;
                long[] shape = parameter.shape;
                _weights[whole] = new WeightInfo(whole, shape, ScalarType.Float32);
                _make[whole] = () => ParameterInit.FirstValue(owner, name, shape, SyntheticWeights.Seed($"{seed}/{path}.{name}"));
            }
        }
    }

    /// <inheritdoc/>
    public string Origin => "first values";

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, WeightInfo> Weights => _weights;

    /// <inheritdoc/>
    public Tensor Read(string name, ScalarType? type = null)
    {
        using var scope = NewDisposeScope();
        return _make[name]().to(type ?? ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
