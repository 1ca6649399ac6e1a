using TorchSharp.Utils;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace FlamingoSharp.Models;

/// <summary>Normalises the last axis to mean 0 and variance 1 (biased, eps inside the root), then scales and shifts.</summary>
internal sealed class LayerNorm : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter _bias;
    private readonly long[] _shape;
    private readonly double _epsilon;

    /// <summary>Creates a norm over <paramref name="width"/> features; its parameters have no data yet.</summary>
    public LayerNorm(long width, double epsilon = 1e-5)
        : base(nameof(LayerNorm))
    {
        _shape = [width];
        _epsilon = epsilon;
        _weight = UnfilledParameter.Of(width);
        _bias = UnfilledParameter.Of(width);
        RegisterComponents();
    }

    /// <summary>The element type that its module computes in.</summary>
    public ScalarType Type => _weight.dtype;

    /// <param name="input">[..., width]</param>
    /// <returns>[..., width]</returns>
    public override Tensor forward(Tensor input) => nn.functional.layer_norm(input, _shape, _weight, _bias, _epsilon);
}
