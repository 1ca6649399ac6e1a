using System.Reflection;
using System.Runtime.CompilerServices;
using FlamingoSharp.TestKit;
using Xunit.Sdk;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.TestKit;

public sealed class NoTensorLeakTests
{
    private static readonly MethodInfo Method = typeof(NoTensorLeakTests).GetMethod(nameof(A_tensor_that_leaves_every_scope_is_caught))!;

    public static TheoryData<string> Leaks => [.. Leaking.Keys];

    private static readonly Dictionary<string, Func<Tensor[]>> Leaking = new()
    {
        ["made outside any scope"] = () => [ones(3)],
        ["detached from its scope"] = () =>
        {
            using var scope = NewDisposeScope();
            return [ones(3).DetachFromDisposeScope()];
        },
        ["moved out of the only scope"] = () =>
        {
            using var scope = NewDisposeScope();
            return [ones(3).MoveToOuterDisposeScope()];
        },
        ["a view"] = () =>
        {
            using var whole = ones(3);
            return [whole.narrow(0, 0, 1)];
        },
        ["forgotten, then collected"] = () =>
        {
            Forget();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return [];

            [MethodImpl(MethodImplOptions.NoInlining)]
            static void Forget() => ones(3);
        },
    };

    [Theory]
    [MemberData(nameof(Leaks))]
    public void A_tensor_that_leaves_every_scope_is_caught(string how)
    {
        var attribute = new NoTensorLeakAttribute();
        attribute.Before(Method, null!);
        Tensor[] leaked = Leaking[how]();
        var e = Assert.Throws<TrueException>(() => attribute.After(Method, null!));
        Assert.Contains("left 1 tensors alive", e.Message, StringComparison.Ordinal);
        foreach (var tensor in leaked)
            tensor.Dispose();
        if (leaked.Length > 0)
            attribute.After(Method, null!);
    }

    [Fact]
    public void Nothing_is_said_of_tensors_that_are_disposed()
    {
        var attribute = new NoTensorLeakAttribute();
        attribute.Before(Method, null!);
        using (var scope = NewDisposeScope())
            _ = ones(3) + 1;
        ones(2).Dispose();
        var other = new Thread(() =>
        {
            using var scope = NewDisposeScope();
            _ = ones(3);
        });
        other.Start();
        other.Join();
        attribute.After(Method, null!);
    }
}
