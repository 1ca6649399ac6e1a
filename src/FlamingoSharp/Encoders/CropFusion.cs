using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace FlamingoSharp.Encoders;

/// <summary>
/// Mixes the patches of a clip that is longer than its window with those of three crops of it, place by place and feature by feature. The
/// windows here are never longer; in training the reference treats one of a batch as if it were, its crops being copies of it.
/// </summary>
/// <remarks>
/// Shapes: t tokens, c width.<br/>
/// Source: attentional feature fusion (arXiv 2009.14082) in CLAP §3.2 (arXiv 2211.06687).
/// </remarks>
internal sealed class CropFusion : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "local_att")] private readonly FusionAttention _local;
    [ComponentName(Name = "global_att")] private readonly FusionAttention _global;

    public CropFusion(int width)
        : base(nameof(CropFusion))
    {
        _local = new FusionAttention(width, first: 0);
        _global = new FusionAttention(width, first: 1); // after a pooling, which has no weights
        RegisterComponents();
    }

    /// <param name="whole">Of one clip, [1, t, c].</param> <param name="crops">Of its crops, [1, t, c].</param>
    /// <returns>[1, t, c]</returns>
    public override Tensor forward(Tensor whole, Tensor crops)
    {
        using var scope = NewDisposeScope();
        var sum = whole.Plus(crops);
        var twice = cat([sum, sum], 0); // as the reference does, whose norms would have nothing to go by in a batch of 1
        var share = _local.forward(twice).Plus(_global.forward(twice.mean([1], keepdim: true))).sigmoid().narrow(0, 0, 1); // [1, t, c]
        return whole.mul(share).Plus(crops.mul(share.Times(-1).Plus(1))).Times(2).MoveToOuterDisposeScope();
    }
}

/// <summary>Narrow to a quarter, norm, ReLU, widen, norm; the layers carry the numbers they have in the reference's sequence.</summary>
internal sealed class FusionAttention : nn.Module<Tensor, Tensor>
{
    private readonly Convolution _narrow, _widen;
    private readonly BatchNorm _narrowNorm, _wideNorm;

    public FusionAttention(int width, int first)
        : base(nameof(FusionAttention))
    {
        RegisterComponents(); // before there are any: they go by their numbers alone
        register_module($"{first}", _narrow = new Convolution(width, width / 4, (1, 1)));
        register_module($"{first + 1}", _narrowNorm = new BatchNorm(width / 4));
        register_module($"{first + 3}", _widen = new Convolution(width / 4, width, (1, 1)));
        register_module($"{first + 4}", _wideNorm = new BatchNorm(width));
    }

    /// <param name="x">[n, t, c]</param>
    /// <returns>[n, t, c]</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var narrow = nn.functional.relu(_narrowNorm.forward(Pointwise(_narrow, x))); // [n, t, c/4]
        return _wideNorm.forward(Pointwise(_widen, narrow)).MoveToOuterDisposeScope();
    }

    // A convolution of one pixel is a linear map of each place.
    private static Tensor Pointwise(Convolution layer, Tensor x) => nn.functional.linear(x, layer.Weight.flatten(1), layer.Bias);
}
