using TorchSharp.Utils;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace FlamingoSharp.Models;

/// <summary>A two-dimensional convolution of stride 1.</summary>
/// <remarks>Shapes: n batch, i and o channels in and out, h height, w width.</remarks>
internal sealed class Convolution : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter _bias;
    private readonly long[] _padding;

    /// <summary>Creates a convolution whose parameters have no data yet.</summary>
    public Convolution(long inChannels, long outChannels, (long Height, long Width) kernel, (long Height, long Width) padding = default)
        : base(nameof(Convolution))
    {
        _padding = [padding.Height, padding.Width];
        _weight = UnfilledParameter.Of(outChannels, inChannels, kernel.Height, kernel.Width);
        _bias = UnfilledParameter.Of(outChannels);
        RegisterComponents();
    }

    /// <summary>[o, i, kernel height, kernel width]</summary>
    public Parameter Weight => _weight;

    /// <summary>[o]</summary>
    public Parameter Bias => _bias;

    /// <param name="input">[n, i, h, w]</param>
    /// <returns>[n, o, h', w']</returns>
    public override Tensor forward(Tensor input) => nn.functional.conv2d(input, _weight, _bias, padding: _padding);
}
