using System.Reflection;
using System.Runtime.CompilerServices;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FlamingoSharp.Weights;

/// <summary>Exchanges parameters and buffers of modules: both the fields that forward reads and torch's registration.</summary>
internal static class ModuleParameters
{
    /// <summary>Puts a parameter in the place of the one registered under <paramref name="name"/>, which is disposed.</summary>
    /// <param name="owner">The module that has the parameter itself, not through a child.</param>
    /// <param name="name">Its name in that module.</param>
    /// <param name="value">Owned by the module from now on.</param>
    public static void Replace(nn.Module owner, string name, Parameter value) =>
        Replace([(owner, name)], owner.named_parameters(recurse: false).Single(p => p.name == name).parameter, value);

    /// <summary>Puts a buffer in the place of the one registered under <paramref name="name"/>, which is disposed.</summary>
    /// <inheritdoc cref="Replace(nn.Module, string, Parameter)" path="/param"/>
    public static void ReplaceBuffer(nn.Module owner, string name, Tensor value) =>
        Replace([(owner, name)], owner.named_buffers(recurse: false).Single(b => b.name == name).buffer, value);

    /// <summary>Puts a parameter or buffer in the place of one that several modules may share, and disposes that.</summary>
    /// <param name="places">Every module that has it, with its name there.</param>
    /// <param name="old">What is replaced.</param>
    /// <param name="value">Owned by the modules from now on.</param>
    public static void Replace(IEnumerable<(nn.Module Owner, string Name)> places, Tensor old, Tensor value)
    {
        value.DetachFromDisposeScope();
        foreach (var (owner, name) in places)
        {
            foreach (var field in FieldsOf(owner.GetType()))
            {
                if (ReferenceEquals(field.GetValue(owner), old))
                    field.SetValue(owner, value);
            }
            if (value is Parameter parameter)
                RegisterParameter(owner, name, parameter);
            else
                RegisterBuffer(owner, name, value, true);
        }
        old.Dispose();
    }

    private static IEnumerable<FieldInfo> FieldsOf(Type type)
    {
        for (Type? t = type; t is not null && t != typeof(nn.Module); t = t.BaseType)
        {
            foreach (var field in t.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            {
                if (typeof(Tensor).IsAssignableFrom(field.FieldType))
                    yield return field;
            }
        }
    }

    // register_parameter refuses a name that is taken; these, which torch's own to(...) uses, replace.
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "ConditionallyRegisterParameter")]
    private static extern void RegisterParameter(nn.Module module, string name, Parameter value);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "ConditionallyRegisterBuffer")]
    private static extern void RegisterBuffer(nn.Module module, string name, Tensor value, bool persistent);
}
