using System.Reflection;
using TorchSharp;
using Xunit;
using Xunit.v3;

namespace FlamingoSharp.TestKit;

/// <summary>
/// Fails a test that leaves tensors behind: everything it makes, outside modules it disposes, must be gone when it ends.
/// </summary>
/// <remarks>
/// Counted are tensors made less those disposed on the test's own thread; a finalizer, which runs on another, cannot hide a leak.
/// Tests whose model works on other threads compare <c>Tensor.TotalCount</c> themselves, which counts the process but takes the
/// making of a parameter for two tensors.
/// </remarks>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
public sealed class NoTensorLeakAttribute : BeforeAfterTestAttribute
{
    private long _before;

    /// <inheritdoc/>
    public override void Before(MethodInfo methodUnderTest, IXunitTest test) => _before = Live();

    /// <inheritdoc/>
    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        long after = Live();
        Assert.True(after <= _before, $"{methodUnderTest.Name} left {after - _before} tensors alive.");
    }

    private static long Live() => DisposeScopeManager.Statistics.ThreadTotalLiveCount;
}
