using FlamingoSharp.Runtime;
using TorchSharp.Utils;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace FlamingoSharp.Models;

/// <summary>Divides the last axis by its root mean square, in float32, then scales.</summary>
/// <remarks>Source: Root Mean Square Layer Normalization (arXiv 1910.07467).</remarks>
internal sealed class RmsNorm : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    private readonly double _epsilon;

    /// <summary>Creates a norm over <paramref name="width"/> features; its scale has no data yet.</summary>
    public RmsNorm(long width, double epsilon)
        : base(nameof(RmsNorm))
    {
        _epsilon = epsilon;
        _weight = UnfilledParameter.Of(width);
        RegisterComponents();
    }

    /// <param name="input">[..., width]</param>
    /// <returns>[..., width]</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = input.to_type(ScalarType.Float32);
        var scale = x.mul(x).mean([-1], keepdim: true).AddInPlace(_epsilon).rsqrt_(); // [..., 1]
        return x.mul(scale).to_type(input.dtype).mul(_weight).MoveToOuterDisposeScope();
    }
}
