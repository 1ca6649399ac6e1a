using FlamingoSharp.Models;
using static TorchSharp.torch;

namespace FlamingoSharp.Encoders;

/// <summary>
/// The weights by which CLAP mixes the patches of a clip that is longer than its window with those of three crops of it. Audio Flamingo 2
/// gives its encoder whole windows, so this never runs: it keeps the tensors that the checkpoint carries.
/// </summary>
/// <remarks>Source: attentional feature fusion (arXiv 2009.14082) in CLAP §3.2 (arXiv 2211.06687).</remarks>
internal sealed class CropFusion : nn.Module
{
    public CropFusion(int width)
        : base(nameof(CropFusion))
    {
        register_module("local_att", new FusionAttention(width, first: 0));
        register_module("global_att", new FusionAttention(width, first: 1)); // after a pooling, which has no weights
    }
}

/// <summary>Narrow to a quarter, norm, ReLU, widen, norm; the layers carry the numbers they have in the reference's sequence.</summary>
internal sealed class FusionAttention : nn.Module
{
    public FusionAttention(int width, int first)
        : base(nameof(FusionAttention))
    {
        register_module($"{first}", new Convolution(width, width / 4, (1, 1)));
        register_module($"{first + 1}", new BatchNorm(width / 4));
        register_module($"{first + 3}", new Convolution(width / 4, width, (1, 1)));
        register_module($"{first + 4}", new BatchNorm(width));
    }
}
