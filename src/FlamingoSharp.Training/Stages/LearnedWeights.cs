using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Stages;

/// <summary>Tensors of a model in training, by checkpoint name; some may be made when they are read.</summary>
internal sealed class LearnedWeights : IWeightSource
{
    private readonly Dictionary<string, WeightInfo> _weights = [];
    private readonly Dictionary<string, Func<Tensor>> _readers = [];

    /// <param name="tensors">They belong to the model.</param> <param name="made">Made when they are read, and the reader's then.</param>
    public LearnedWeights(IEnumerable<(string Name, Tensor Tensor)> tensors, IEnumerable<(string Name, Func<Tensor> Read)>? made = null)
    {
        foreach (var (name, tensor) in tensors)
        {
            _weights[name] = new WeightInfo(name, tensor.shape, tensor.dtype);
            _readers[name] = tensor.detach;
        }
        foreach (var (name, read) in made ?? [])
        {
            using var once = read();
            _weights[name] = new WeightInfo(name, once.shape, once.dtype);
            _readers[name] = read;
        }
    }

    /// <inheritdoc/>
    public string Origin => "the model in training";

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, WeightInfo> Weights => _weights;

    /// <inheritdoc/>
    public Tensor Read(string name, ScalarType? type = null)
    {
        using var scope = NewDisposeScope();
        var tensor = _readers[name]();
        return tensor.to(type ?? tensor.dtype, CPU, copy: true).contiguous().MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
