using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace FlamingoSharp.Encoders;

/// <summary>Maps pooled latents into the space that sound and text share.</summary>
internal sealed class ClapProjection : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "linear1")] private readonly LinearLayer _first;
    [ComponentName(Name = "linear2")] private readonly LinearLayer _second;
    [ComponentName(Name = "layer_norm")] private readonly LayerNorm _norm;
    private readonly double _dropout;

    public ClapProjection(int latent, int width, double dropout)
        : base(nameof(ClapProjection))
    {
        _dropout = dropout;
        _first = new LinearLayer(latent, width, bias: false);
        _second = new LinearLayer(width, width, bias: false);
        _norm = new LayerNorm(width);
        RegisterComponents();
    }

    /// <param name="latent">[…, latent]</param>
    /// <returns>[…, width]</returns>
    public override Tensor forward(Tensor latent)
    {
        using var scope = NewDisposeScope();
        var first = _first.forward(latent);
        var second = nn.functional.dropout(_second.forward(nn.functional.gelu(first)), _dropout, training);
        return _norm.forward(first.Plus(second)).MoveToOuterDisposeScope();
    }
}
