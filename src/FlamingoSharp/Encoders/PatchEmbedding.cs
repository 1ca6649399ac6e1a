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
    [ComponentName(Name = "mel_conv2d")] private readonly Convolution? _crops;
    [ComponentName(Name = "fusion_model")] private readonly CropFusion? _fusion;
    private readonly DeviceConstant _order;
    private readonly int _patch;

    public PatchEmbedding(HtsatOptions options)
        : base(nameof(PatchEmbedding))
    {
        _patch = options.PatchSize;
        _projection = new Convolution(1, options.EmbedDim, (_patch, _patch));
        _norm = new LayerNorm(options.EmbedDim);
        _order = new DeviceConstant(() => tensor(ZOrder.FromRowMajor(options.Resolution(0))));
        if (options.Fusion)
        {
            _crops = new Convolution(1, options.EmbedDim, (_patch, 3 * _patch));
            _fusion = new CropFusion(options.EmbedDim);
        }
        RegisterComponents();
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
        if (training && _fusion is not null)
            tokens = FuseOne(tokens, chunks);
        return _norm.forward(tokens).MoveToOuterDisposeScope();                                            // [n, t, c]
    }

    // As the reference trains: where no clip of a batch is longer than a window, one drawn at random counts as such. Its three crops are
    // copies of it; each gives a third of the columns.
    private Tensor FuseOne(Tensor tokens, Tensor chunks)
    {
        var (n, k, l, m) = (chunks.shape[0], chunks.shape[1], chunks.shape[2], chunks.shape[3]);
        using var drawn = randint(n, new long[] { 1 }, ScalarType.Int64); // from torch's generator, which training seeds
        long one = drawn.item<long>(), columns = l / _patch;
        var image = chunks.narrow(0, one, 1).transpose(2, 3).reshape(1, 1, k * m, l);
        var crop = nn.functional.conv2d(image, _crops!.Weight, _crops.Bias, strides: [_patch, 3 * _patch]);  // [1, c, rows, columns / 3]
        var rest = zeros_like(crop.narrow(3, 0, columns - 3 * crop.shape[3]));                               // the columns that are left
        var crops = cat([crop, crop, crop, rest], -1)
            .flatten(2).transpose(1, 2).index_select(1, _order.On(chunks.device));                          // [1, t, c]
        var fused = _fusion!.forward(tokens.narrow(0, one, 1), crops);
        return cat([tokens.narrow(0, 0, one), fused, tokens.narrow(0, one + 1, n - one - 1)], 0);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _order.Dispose();
        base.Dispose(disposing);
    }
}
