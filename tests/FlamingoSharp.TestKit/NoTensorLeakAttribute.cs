using System.Reflection;
using TorchSharp;
using Xunit;
using Xunit.v3;

namespace FlamingoSharp.TestKit;

/// <summary>
/// Fails a test that leaves tensors behind: everything it makes, outside modules it disposes, must be gone when it ends.
/// </summary>
/// <remarks>The test runs inside a dispose scope; what counts is native tensors that escaped every scope and were not disposed.</remarks>
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
