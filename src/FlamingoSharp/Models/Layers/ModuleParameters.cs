using System.Reflection;
using System.Runtime.CompilerServices;
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

/// <summary>Exchanges parameters and buffers of modules: both the field that forward reads and torch's registration.</summary>
internal static class ModuleParameters
{
    private const BindingFlags Fields = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>Puts a parameter in the place of the one registered under <paramref name="name"/>, which is disposed.</summary>
    /// <param name="owner">The module that has the parameter itself, not through a child.</param>
    /// <param name="name">Its name in that module.</param>
    /// <param name="value">Owned by the module from now on.</param>
    public static void Replace(nn.Module owner, string name, Parameter value)
    {
        value.DetachFromDisposeScope();
        var old = owner.named_parameters(recurse: false).Single(p => p.name == name).parameter;
        SetField(owner, old, value);
        RegisterParameter(owner, name, value);
        old.Dispose();
    }

    /// <summary>Puts a buffer in the place of the one registered under <paramref name="name"/>, which is disposed.</summary>
    /// <inheritdoc cref="Replace(nn.Module, string, Parameter)"/>
    public static void ReplaceBuffer(nn.Module owner, string name, Tensor value)
    {
        value.DetachFromDisposeScope();
        var old = owner.named_buffers(recurse: false).Single(b => b.name == name).buffer;
        SetField(owner, old, value);
        RegisterBuffer(owner, name, value, true);
        old.Dispose();
    }

    private static void SetField(nn.Module owner, Tensor old, Tensor value)
    {
        foreach (var field in owner.GetType().GetFields(Fields).Where(f => ReferenceEquals(f.GetValue(owner), old)))
            field.SetValue(owner, value);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "ConditionallyRegisterParameter")]
    private static extern void RegisterParameter(nn.Module module, string name, Parameter value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "ConditionallyRegisterBuffer")]
    private static extern void RegisterBuffer(nn.Module module, string name, Tensor value, bool persistent);
}
