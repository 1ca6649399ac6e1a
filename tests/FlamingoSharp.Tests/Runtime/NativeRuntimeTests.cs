using FlamingoSharp.Runtime;
using FlamingoSharp.TestKit;
using TorchSharp;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Runtime;

public sealed class NativeRuntimeTests
{
    [Fact, NoTensorLeak]
    public void Torch_computes_after_loading()
    {
        Assert.NotNull(NativeRuntime.Current);
        using var scope = NewDisposeScope();
        Assert.Equal(8.0, ones(2, 2).matmul(ones(2, 2)).sum().ToDouble());
    }

}
