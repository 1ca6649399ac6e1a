using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using FlamingoSharp.Training.Sounds;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Stages;

/// <summary>Which matrices get an adapter of few parameters, which learns in their place. Defaults: off.</summary>
/// <remarks>Source: LoRA (arXiv 2106.09685).</remarks>
public sealed record LoraOptions
{
    /// <summary>Width of the adapter; 0 for none.</summary>
    public int Rank { get; init; }

    /// <summary>The adapter's output counts Alpha / Rank.</summary>
    public double Alpha { get; init; } = 16;

    /// <summary>Ends of the names of matrices of the language model, e.g. <c>q_proj</c>, <c>fc1</c>.</summary>
    public IReadOnlyList<string> Targets { get; init; } = ["q_proj", "v_proj"];

    /// <summary>Factor on the adapter's output.</summary>
    internal double Scale => Alpha / Rank;
}

/// <summary>W·x + s·B·(A·x): the layer's own matrix stays as it is, A and B learn. B starts at 0, so that at first nothing changes.</summary>
/// <remarks>Shapes: i input width, o output width, r rank.</remarks>
internal sealed class LoraKernel : ILinearKernel
{
    private readonly LinearLayer _layer;
    private readonly double _scale;

    /// <param name="layer">Whose matrix is adapted; the layer owns the kernel.</param> <param name="options">Rank and scale.</param>
    /// <param name="random">Draws the first values of A.</param>
    public LoraKernel(LinearLayer layer, LoraOptions options, SplitMix random)
    {
        (_layer, _scale) = (layer, options.Scale);
        float[] first = new float[options.Rank * layer.InFeatures];
        double bound = 1 / Math.Sqrt(layer.InFeatures); // as a new linear layer
        for (int n = 0; n < first.Length; n++)
            first[n] = (float)(bound * (2 * random.NextDouble() - 1));
        using var scope = NewDisposeScope();
        var device = layer.Weight.device;
        Down = new Parameter(tensor(first, [options.Rank, layer.InFeatures], device: device));
        Up = new Parameter(zeros([layer.OutFeatures, options.Rank], device: device));
        Down.DetachFromDisposeScope();
        Up.DetachFromDisposeScope();
    }

    /// <summary>A, [r, i].</summary>
    public Parameter Down { get; }

    /// <summary>B, [o, r].</summary>
    public Parameter Up { get; }

    /// <inheritdoc/>
    public Tensor Multiply(Tensor input, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        var own = _layer.Product(input);
        var adapted = nn.functional.linear(nn.functional.linear(input.to_type(Down.dtype), Down), Up).Times(_scale);
        return own.Plus(adapted.to_type(own.dtype)).MoveToOuterDisposeScope();
    }

    /// <summary>The matrix that does the same alone, W + s·B·A.</summary>
    /// <returns>[o, i], in the type of the layer's own.</returns>
    public Tensor Merged()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var weight = _layer.Weight.to_type(ScalarType.Float32);
        return weight.Plus(Up.matmul(Down).Times(_scale)).to_type(_layer.Weight.dtype).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Down.Dispose();
        Up.Dispose();
    }
}
