using FlamingoSharp.Models;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace FlamingoSharp.Encoders;

/// <summary>Blocks over one grid, every odd one with shifted windows; then 2x2 tokens merge into one, save in the last stage.</summary>
/// <remarks>Shapes: n sounds, t tokens in Z order, c width.</remarks>
internal sealed class SwinStage : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "blocks")] private readonly TorchSharp.Modules.ModuleList<SwinBlock> _blocks;
    [ComponentName(Name = "downsample")] private readonly PatchMerging? _merge;
    private readonly WindowGrid _grid;
    private readonly int _index;

    /// <param name="options">Sizes of the whole encoder.</param>
    /// <param name="stage">Which stage, from 0.</param>
    /// <param name="dropPath">The chance to skip each of its blocks, in training.</param>
    public SwinStage(HtsatOptions options, int stage, IReadOnlyList<double> dropPath)
        : base(nameof(SwinStage))
    {
        _index = stage;
        _grid = new WindowGrid(options.Resolution(stage), options.WindowSize);
        int width = options.Width(stage);
        _blocks = new TorchSharp.Modules.ModuleList<SwinBlock>([.. dropPath.Select((p, i) =>
            new SwinBlock(width, options.Heads[stage], options.MlpRatio, _grid, shifted: i % 2 == 1, p))]);
        _merge = stage < options.Stages - 1 ? new PatchMerging(width) : null;
        RegisterComponents();
    }

    /// <param name="tokens">[n, t, c]</param>
    /// <returns>[n, t/4, 2c]; of the last stage [n, t, c]</returns>
    public override Tensor forward(Tensor tokens) => Encode(tokens, null);

    /// <inheritdoc cref="forward"/>
    public Tensor Encode(Tensor tokens, Action<string, Tensor>? probe)
    {
        using var scope = NewDisposeScope();
        var x = tokens;
        for (int i = 0; i < _blocks.Count; i++)
        {
            x = _blocks[i].Shifted ? _grid.Unroll(_blocks[i].forward(_grid.Roll(x))) : _blocks[i].forward(x);
            probe?.Invoke($"stage{_index}_block{i}", ZOrder.RowMajor(x));
        }
        x = _merge is null ? x : _merge.forward(x);
        probe?.Invoke($"stage{_index}", ZOrder.RowMajor(x));
        return x.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _grid.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>Joins each 2x2 square of tokens into one of twice the width.</summary>
internal sealed class PatchMerging : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "norm")] private readonly LayerNorm _norm;
    [ComponentName(Name = "reduction")] private readonly LinearLayer _reduction;

    public PatchMerging(int width)
        : base(nameof(PatchMerging))
    {
        _norm = new LayerNorm(4 * width);
        _reduction = new LinearLayer(4 * width, 2 * width, bias: false);
        RegisterComponents();
    }

    /// <param name="tokens">[n, t, c] in Z order, where the squares are runs of four</param>
    /// <returns>[n, t/4, 2c]</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return _reduction.forward(_norm.forward(tokens.view(tokens.shape[0], -1, 4 * tokens.shape[2]))).MoveToOuterDisposeScope();
    }
}
