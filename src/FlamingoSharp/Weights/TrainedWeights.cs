using static TorchSharp.torch;

namespace FlamingoSharp.Weights;

/// <summary>Tensors of a model in training, as a checkpoint to be written.</summary>
internal sealed class TrainedWeights : IWeightSource
{
    private readonly Dictionary<string, WeightInfo> _weights = [];
    private readonly Dictionary<string, Tensor> _tensors = [];

    /// <param name="modules">Each with what stands in front of its names in the checkpoint, with its dot.</param>
    public TrainedWeights(params IEnumerable<(string Prefix, nn.Module Module)> modules)
    {
        foreach (var (prefix, module) in modules)
        {
            foreach (var (name, parameter) in module.named_parameters())
                Add(prefix + name, parameter);
            foreach (var (name, buffer) in module.named_buffers().Where(b => !NameMap.IsComputed(prefix + b.name)))
                Add(prefix + name, buffer);
        }
    }

    /// <param name="tensors">By their names in the checkpoint; they must live as long as this.</param>
    public TrainedWeights(IEnumerable<(string Name, Tensor Tensor)> tensors)
    {
        foreach (var (name, tensor) in tensors)
            Add(name, tensor);
    }

    /// <inheritdoc/>
    public string Origin => "the model in training";

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, WeightInfo> Weights => _weights;

    /// <inheritdoc/>
    public Tensor Read(string name, ScalarType? type = null)
    {
        using var scope = NewDisposeScope();
        return _tensors[name].detach().to(type ?? _tensors[name].dtype, CPU, copy: true).contiguous().MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private void Add(string name, Tensor tensor)
    {
        _weights[name] = new WeightInfo(name, tensor.shape, tensor.dtype);
        _tensors[name] = tensor;
    }
}
