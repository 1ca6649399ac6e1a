using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace FlamingoSharp.Encoders;

/// <summary>Cuts the image into square patches and maps each to a token.</summary>
/// <remarks>Shapes: n sounds, k chunks of time, l frames in a chunk, m mel bands, p patch side, t tokens, c width.</remarks>
internal sealed class PatchEmbedding : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "proj")] private readonly Convolution _projection;
    [ComponentName(Name = "norm")] private readonly LayerNorm _norm;
    private readonly DeviceConstant _order;
    private readonly int _patch;

    public PatchEmbedding(HtsatOptions options)
        : base(nameof(PatchEmbedding))
    {
        _patch = options.PatchSize;
        _projection = new Convolution(1, options.EmbedDim, (_patch, _patch));
        _norm = new LayerNorm(options.EmbedDim);
        _order = new DeviceConstant(() => tensor(ZOrder.FromRowMajor(options.Resolution(0))));
        RegisterComponents();
        if (options.Fusion)
        {
            register_module("mel_conv2d", new Convolution(1, options.EmbedDim, (_patch, 3 * _patch)));
            register_module("fusion_model", new CropFusion(options.EmbedDim));
        }
    }

    /// <param name="chunks">
    /// [n, k, l, m]: of the image, row i is mel band i % m of chunk i / m, column j is frame j of each chunk.
    /// </param>
    /// <returns>[n, t, c] in Z order</returns>
    public override Tensor forward(Tensor chunks)
    {
        using var scope = NewDisposeScope();
        var (n, k, l, m) = (chunks.shape[0], chunks.shape[1], chunks.shape[2], chunks.shape[3]);
        // Strides equal to the kernel make the convolution one product over the patches.
        var patches = chunks.view(n, k, l / _patch, _patch, m / _patch, _patch).permute(0, 1, 4, 2, 5, 3)
            .reshape(n, -1, _patch * _patch).index_select(1, _order.On(chunks.device));                     // [n, t, p²]
        var tokens = nn.functional.linear(patches, _projection.Weight.view(-1, _patch * _patch), _projection.Bias);
        return _norm.forward(tokens).MoveToOuterDisposeScope();                                            // [n, t, c]
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _order.Dispose();
        base.Dispose(disposing);
    }
}
