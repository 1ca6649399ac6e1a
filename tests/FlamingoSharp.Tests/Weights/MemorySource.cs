using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Weights;

/// <summary>A checkpoint of tensors at hand.</summary>
internal sealed class MemorySource(params (string Name, Tensor Data)[] tensors) : IWeightSource
{
    public string? FailAt { get; set; }

    public string Origin => "memory";

    public IReadOnlyDictionary<string, WeightInfo> Weights { get; } =
        tensors.ToDictionary(t => t.Name, t => new WeightInfo(t.Name, t.Data.shape, t.Data.dtype));

    public Tensor Read(string name, ScalarType? type = null)
    {
        if (name == FailAt)
            throw new FlamingoException(FlamingoErrorKind.Model, "cut off");
        var data = tensors.Single(t => t.Name == name).Data;
        return data.to_type(type ?? data.dtype, copy: true);
    }

    public void Dispose()
    {
    }
}
