using FlamingoSharp.Weights;
using TorchSharp.Utils;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace FlamingoSharp.Models;

/// <summary>Multiplies by a weight matrix that is stored in another form than floating point, e.g. as int8.</summary>
/// <remarks>Shapes: i input width, o output width.</remarks>
internal interface ILinearKernel : IDisposable
{
    /// <summary>y = x·Wᵀ (+ bias).</summary>
    /// <param name="input">[..., i]</param> <param name="bias">[o], or null for none.</param>
    /// <returns>[..., o], in the element type of the input.</returns>
    Tensor Multiply(Tensor input, Tensor? bias);
}

/// <summary>y = x·Wᵀ + b. Every weight matrix of every model is one of these, so that its kernel can be replaced in one place.</summary>
/// <remarks>Shapes: i input width, o output width.</remarks>
internal sealed class LinearLayer : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter? _bias;
    private ILinearKernel? _kernel;

    /// <summary>Creates a layer whose parameters have shapes but no data yet.</summary>
    public LinearLayer(long inFeatures, long outFeatures, bool bias = true)
        : base(nameof(LinearLayer))
    {
        (InFeatures, OutFeatures) = (inFeatures, outFeatures);
        _weight = UnfilledParameter.Of(outFeatures, inFeatures);
        _bias = bias ? UnfilledParameter.Of(outFeatures) : null;
        RegisterComponents();
    }

    /// <summary>Width of the input.</summary>
    public long InFeatures { get; }

    /// <summary>Width of the output.</summary>
    public long OutFeatures { get; }

    /// <summary>[o, i]; without data once <see cref="UseKernel"/> has taken its place.</summary>
    public Parameter Weight => _weight;

    /// <summary>[o], or null.</summary>
    public Parameter? Bias => _bias;

    /// <summary>
    /// Element type of the product, if another than that of input and weight: they are cast, gradients arrive in their own type. Null casts
    /// nothing.
    /// </summary>
    public ScalarType? ComputeType { get; set; }

    /// <summary>Replaces torch's product, and frees the floating-point weight that the kernel has replaced.</summary>
    /// <param name="kernel">Owned by the layer from now on.</param> <param name="keepWeight">The kernel reads the layer's weight: it stays.</param>
    public void UseKernel(ILinearKernel kernel, bool keepWeight = false)
    {
        _kernel?.Dispose();
        _kernel = kernel;
        if (!keepWeight)
            ModuleParameters.Replace(this, "weight", UnfilledParameter.Of(OutFeatures, InFeatures));
    }

    /// <param name="input">[..., i]</param>
    /// <returns>[..., o]</returns>
    public override Tensor forward(Tensor input) => _kernel is null ? Product(input) : _kernel.Multiply(input, _bias);

    /// <summary>Torch's product with the layer's own weight, whatever the kernel.</summary>
    /// <param name="input">[..., i]</param>
    /// <returns>[..., o]</returns>
    internal Tensor Product(Tensor input)
    {
        if (ComputeType is not { } type)
            return nn.functional.linear(input, _weight, _bias);
        using var scope = NewDisposeScope();
        return nn.functional.linear(input.to_type(type), _weight.to_type(type), _bias?.to_type(type)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _kernel?.Dispose();
        base.Dispose(disposing);
    }
}
