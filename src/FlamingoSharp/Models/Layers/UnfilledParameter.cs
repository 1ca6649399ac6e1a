using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace FlamingoSharp.Models;

/// <summary>Makes parameters that have a shape but no memory, until a checkpoint or <see cref="ParameterInit"/> fills them.</summary>
internal static class UnfilledParameter
{
    /// <summary>A float32 parameter on the meta device.</summary>
    public static Parameter Of(params long[] shape)
    {
        var parameter = new Parameter(empty(shape, ScalarType.Float32, META), requires_grad: true);
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    /// <summary>A float32 buffer on the meta device: state that is stored in checkpoints but not trained.</summary>
    public static Tensor Buffer(params long[] shape) => empty(shape, ScalarType.Float32, META).DetachFromDisposeScope();
}
