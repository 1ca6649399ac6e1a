using System.Reflection;
using FlamingoSharp.TestKit;
using TorchSharp;

namespace FlamingoSharp.Cli.Tests.Architecture;

/// <summary>Keeps the rule of HeldScalars, whose remarks say why: the compiled code is searched for calls that forget a native scalar.</summary>
public sealed class ScalarRuleTests
{
    private static readonly Lazy<HashSet<MethodBase>> Forgetful = new(CallsThatForgetScalars);

    [Theory]
    [InlineData("FlamingoSharp")]
    [InlineData("FlamingoSharp.Training")]
    [InlineData("flamingo")]
    public void No_code_of_ours_passes_a_scalar_that_nobody_holds(string assembly)
    {
        Assert.Contains(Forgetful.Value, m => m.Name == "op_Addition"); // even x + y forgets one
        string[] found =
        [
            .. from method in MethodCalls.MethodsOf(Assembly.Load(assembly))
               where method.DeclaringType!.FullName != "FlamingoSharp.Runtime.HeldScalars"
               from call in MethodCalls.Of(method)
               where MakesScalar(call) || Forgetful.Value.Contains(call)
               select $"{method.DeclaringType}.{method.Name} calls {call.DeclaringType!.Name}.{call}",
        ];
        Assert.True(found.Length == 0, "Use HeldScalars here:\n" + string.Join('\n', found));
    }

    // Every method of TorchSharp that makes a scalar, or calls one that does; optimisers do in overrides of their step.
    private static HashSet<MethodBase> CallsThatForgetScalars()
    {
        var calls = MethodCalls.MethodsOf(typeof(torch).Assembly)
            .Where(m => m.DeclaringType != typeof(Scalar)).ToDictionary(m => m, m => MethodCalls.Of(m).ToHashSet());
        var forgetful = calls.Where(c => c.Value.Any(MakesScalar)).Select(c => c.Key).ToHashSet();
        bool more = true;
        while (more)
        {
            int before = forgetful.Count;
            forgetful.UnionWith([.. calls.Where(c => c.Value.Overlaps(forgetful)).Select(c => c.Key)]);
            more = forgetful.Count > before;
        }
        forgetful.UnionWith(typeof(torch.optim.Optimizer).GetMethods().Where(m => m.Name == "step"));
        return forgetful;
    }

    private static bool MakesScalar(MethodBase method) =>
        method.DeclaringType == typeof(Scalar) ? method.IsConstructor || method.Name == "op_Implicit" : method.Name == "ToScalar";
}
