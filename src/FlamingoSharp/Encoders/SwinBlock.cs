using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using TorchSharp.Utils;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace FlamingoSharp.Encoders;

/// <summary>Attention within windows, then a two-layer perceptron, each on a normalised copy that is added back.</summary>
/// <remarks>
/// Shapes: n sounds, t tokens, c width, h heads, e head width, g windows in the grid, w² tokens in a window. Tokens are in Z order
/// (<see cref="ZOrder"/>), of the rolled grid if the block shifts its windows.<br/>
/// Source: Swin Transformer §3 (arXiv 2103.14030); HTS-AT §2 (arXiv 2202.00874).
/// </remarks>
internal sealed class SwinBlock : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "norm1")] private readonly LayerNorm _attentionNorm;
    [ComponentName(Name = "attn")] private readonly WindowAttention _attention;
    [ComponentName(Name = "norm2")] private readonly LayerNorm _mlpNorm;
    [ComponentName(Name = "mlp")] private readonly Mlp _mlp;
    private readonly double _dropPath;

    public SwinBlock(int width, int heads, double mlpRatio, WindowGrid grid, bool shifted, double dropPath)
        : base(nameof(SwinBlock))
    {
        Shifted = shifted && grid.Shift > 0;
        _dropPath = dropPath;
        _attentionNorm = new LayerNorm(width);
        _attention = new WindowAttention(width, heads, grid, Shifted);
        _mlpNorm = new LayerNorm(width);
        _mlp = new Mlp(width, (int)(width * mlpRatio));
        RegisterComponents();
    }

    /// <summary>True if the block works on the rolled grid.</summary>
    public bool Shifted { get; }

    /// <param name="tokens">[n, t, c]</param>
    /// <returns>[n, t, c]</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var x = SkipSome(_attention.forward(_attentionNorm.forward(tokens))).AddInPlace(tokens);
        return SkipSome(_mlp.forward(_mlpNorm.forward(x))).AddInPlace(x).MoveToOuterDisposeScope();
    }

    // Stochastic depth: a branch is left out for a sound with the given chance, and is the stronger for the others.
    private Tensor SkipSome(Tensor branch)
    {
        if (!training || _dropPath == 0)
            return branch;
        var keep = rand([branch.shape[0], 1, 1], branch.dtype, branch.device).AddInPlace(1 - _dropPath).floor_();
        return branch * keep.MultiplyInPlace(1 / (1 - _dropPath));
    }
}

/// <summary>Attention of each window's tokens to each other, biased by where they lie relative to each other.</summary>
/// <remarks>Shapes: see <see cref="SwinBlock"/>.</remarks>
internal sealed class WindowAttention : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "relative_position_bias_table")] private readonly Parameter _biasTable;
    [ComponentName(Name = "qkv")] private readonly LinearLayer _queryKeyValue;
    [ComponentName(Name = "proj")] private readonly LinearLayer _output;
    private readonly WindowGrid _grid;
    private readonly bool _shifted;
    private readonly int _heads;

    public WindowAttention(int width, int heads, WindowGrid grid, bool shifted)
        : base(nameof(WindowAttention))
    {
        (_grid, _shifted, _heads) = (grid, shifted, heads);
        int span = 2 * grid.Window - 1;
        _biasTable = UnfilledParameter.Of(span * span, heads);
        _queryKeyValue = new LinearLayer(width, 3 * width);
        _output = new LinearLayer(width, width);
        RegisterComponents();
    }

    /// <param name="tokens">[n, t, c]</param>
    /// <returns>[n, t, c]</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        long c = tokens.shape[2], e = c / _heads, size = _grid.Window * _grid.Window;
        // Only the mask of a shifted block tells windows apart. Where there is none, each window counts as a sound of its own (g = 1).
        long g = _shifted ? _grid.Windows : 1;
        var qkv = _queryKeyValue.forward(tokens)
            .view(-1, g, size, 3, _heads, e).permute(3, 0, 1, 4, 2, 5).flatten(2, 3).unbind(0);      // 3 x [n, g*h, w², e]
        // Torch's fused attention gives the bias no gradient, and what it falls back to in training is slower than this.
        var mixed = is_grad_enabled()
            ? qkv[0].Times(Math.Pow(e, -0.5)).matmul(qkv[1].transpose(-2, -1)).AddInPlace(Bias(size)).softmax(-1).matmul(qkv[2])
            : nn.functional.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], Bias(size));        // [n, g*h, w², e]
        mixed = mixed.view(-1, g, _heads, size, e).transpose(2, 3).reshape(tokens.shape);            // [n, t, c]
        return _output.forward(mixed).MoveToOuterDisposeScope();
    }

    // [1, g*h, w², w²]
    private Tensor Bias(long size)
    {
        var index = _grid.RelativePosition.On(_biasTable.device);
        var bias = _biasTable.t().gather(1, index.expand(_heads, -1)).view(1, _heads, size, size);
        return _shifted ? bias.Plus(_grid.Mask!.On(bias.device, bias.dtype)).view(1, -1, size, size) : bias;
    }
}

/// <summary>Linear, GELU (exact), linear.</summary>
internal sealed class Mlp : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "fc1")] private readonly LinearLayer _widen;
    [ComponentName(Name = "fc2")] private readonly LinearLayer _narrow;

    public Mlp(int width, int inner)
        : base(nameof(Mlp))
    {
        _widen = new LinearLayer(width, inner);
        _narrow = new LinearLayer(inner, width);
        RegisterComponents();
    }

    /// <param name="tokens">[n, t, c]</param>
    /// <returns>[n, t, c]</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return _narrow.forward(nn.functional.gelu(_widen.forward(tokens), inplace: !is_grad_enabled())).MoveToOuterDisposeScope();
    }
}
