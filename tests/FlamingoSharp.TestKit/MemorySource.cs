using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.TestKit;

/// <summary>A checkpoint of tensors at hand.</summary>
public sealed class MemorySource(params (string Name, Tensor Data)[] tensors) : IWeightSource
{
    /// <summary>A name whose reading fails; null for none.</summary>
    public string? FailAt { get; set; }

    /// <inheritdoc/>
    public string Origin => "memory";

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, WeightInfo> Weights { get; } =
        tensors.ToDictionary(t => t.Name, t => new WeightInfo(t.Name, t.Data.shape, t.Data.dtype));

    /// <inheritdoc/>
    public Tensor Read(string name, ScalarType? type = null)
    {
        if (name == FailAt)
            throw new FlamingoException(FlamingoErrorKind.Model, "cut off");
        var data = tensors.Single(t => t.Name == name).Data;
        return data.to_type(type ?? data.dtype, copy: true);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
