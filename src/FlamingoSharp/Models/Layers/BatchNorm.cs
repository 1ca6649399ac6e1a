using TorchSharp.Utils;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace FlamingoSharp.Models;

/// <summary>Normalises each feature of the last axis over all other axes.</summary>
/// <remarks>In training by the batch's own statistics, which also feed the running ones; afterwards by the running ones.</remarks>
internal sealed class BatchNorm : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter _bias;
    [ComponentName(Name = "running_mean")] private readonly Tensor _runningMean;
    [ComponentName(Name = "running_var")] private readonly Tensor _runningVariance;
    private readonly double _momentum;
    private readonly double _epsilon;

    /// <summary>Creates a norm of <paramref name="width"/> features; parameters and statistics have no data yet.</summary>
    public BatchNorm(long width, double momentum = 0.1, double epsilon = 1e-5)
        : base(nameof(BatchNorm))
    {
        (_momentum, _epsilon) = (momentum, epsilon);
        _weight = UnfilledParameter.Of(width);
        _bias = UnfilledParameter.Of(width);
        _runningMean = UnfilledParameter.Buffer(width);
        _runningVariance = UnfilledParameter.Buffer(width);
        RegisterComponents();
    }

    /// <param name="input">[..., width]</param>
    /// <returns>[..., width]</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return nn.functional.batch_norm(
            input.reshape(-1, _weight.shape[0]), _runningMean, _runningVariance, _weight, _bias, training, _momentum, _epsilon)
            .reshape(input.shape).MoveToOuterDisposeScope();
    }
}
