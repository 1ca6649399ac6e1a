using FlamingoSharp.Runtime;
using FlamingoSharp.Weights;
using TorchSharp;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace FlamingoSharp.Models;

/// <summary>The values that training from scratch starts from.</summary>
/// <remarks>
/// Matrices: normal, cut at two deviations; the deviation is 1/sqrt(3·inputs) for linear layers (torch's own variance, which suits narrow
/// layers too) and 0.02 for tables (ViT, Swin, GPT-2). Convolutions: uniform within 1/sqrt(inputs).
/// Norms: the identity. Everything else, among it biases and gates: 0.
/// </remarks>
internal static class ParameterInit
{
    /// <summary>Standard deviation of tables.</summary>
    public const double Deviation = 0.02;

    private const double MassWithinTwoDeviations = 0.9544997361036416; // erf(sqrt(2))

    /// <summary>Gives every parameter and stored buffer of a module tree its first value; all parameters then require gradients.</summary>
    /// <param name="module">The tree; whatever data it has is replaced.</param>
    /// <param name="seed">The same seed gives the same values: each parameter has a stream of its own, named after it.</param>
    /// <param name="device">Where the values go; null is the CPU.</param>
    public static void Initialize(nn.Module module, long seed, Device? device = null)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (path, owner) in module.named_modules().Prepend(("", module)).ToList())
        {
            foreach (var (name, parameter) in owner.named_parameters(recurse: false).ToList())
            {
                ulong stream = SyntheticWeights.Seed($"{seed}/{path}.{name}");
                var value = FirstValue(owner, name, parameter.shape, stream).to(device ?? CPU);
                ModuleParameters.Replace(owner, name, new Parameter(value, requires_grad: true));
            }
            foreach (var (name, buffer) in owner.named_buffers(recurse: false).Where(b => b.buffer.device_type == DeviceType.META).ToList())
            {
                var value = name == "running_var" ? ones(buffer.shape) : zeros(buffer.shape);
                ModuleParameters.ReplaceBuffer(owner, name, value.to(device ?? CPU));
            }
        }
    }

    /// <summary>The first value of one parameter.</summary>
    public static Tensor FirstValue(nn.Module owner, string name, long[] shape, ulong stream) => shape.Length switch
    {
        >= 3 => Uniform(shape, 1 / Math.Sqrt(shape[1..].Aggregate(1L, (a, b) => a * b)), stream),
        2 => TruncatedNormal(shape, owner is LinearLayer ? 1 / Math.Sqrt(3.0 * shape[1]) : Deviation, stream),
        _ when name == "weight" && (owner is LayerNorm or BatchNorm) => ones(shape),
        _ => zeros(shape),
    };

    /// <summary>Further rows of a table, whose first ones are learned already.</summary>
    public static Tensor Rows(long count, long width, long seed) => TruncatedNormal([count, width], Deviation, SyntheticWeights.Seed($"{seed}/further rows"));

    // The inverse of the normal distribution function maps a uniform number between its values at -2 and 2 to a cut normal one.
    private static Tensor TruncatedNormal(long[] shape, double deviation, ulong stream) =>
        Uniform(shape, MassWithinTwoDeviations, stream).erfinv_().MultiplyInPlace(Math.Sqrt(2) * deviation);

    private static Tensor Uniform(long[] shape, double bound, ulong stream)
    {
        float[] values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        SyntheticWeights.Fill(stream, values, 0, bound);
        return tensor(values, shape);
    }
}
