using FlamingoSharp.TestKit;
using FlamingoSharp.Training.Distributed;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Tests.Distributed;

public sealed class AccumulationHooksTests
{
    [Fact, NoTensorLeak]
    public void Each_parameter_is_told_of_once_a_pass_when_its_gradient_is_whole()
    {
        using var scope = NewDisposeScope();
        var x = ones(3).requires_grad_();
        var y = ones(3).requires_grad_();
        var unused = ones(3).requires_grad_();
        var told = new List<(int Index, float Gradient)>();
        using (var hooks = AccumulationHooks.TryAttach([x, y, unused], i => told.Add((i, (i == 0 ? x : y).grad![0].item<float>()))))
        {
            Assert.NotNull(hooks);
            x.mul(y).add(x).mul(x).sum().backward(); // x(xy + x): x comes in three times, its derivative is 2xy + 2x
            Assert.Equal([(0, 4f), (1, 1f)], told.Order());
            x.sum().backward(); // adds to what is there
            Assert.Equal((0, 5f), told[^1]);
            Assert.Equal(3, told.Count);
        }
        x.sum().backward();
        Assert.Equal(3, told.Count); // nobody is told any more
    }

    [Fact, NoTensorLeak]
    public void What_a_listener_throws_comes_out_after_the_pass()
    {
        using var scope = NewDisposeScope();
        var x = ones(3).requires_grad_();
        using var hooks = AccumulationHooks.TryAttach([x], _ => throw new ArithmeticException("no"))!;
        hooks.ThrowIfFailed();
        x.sum().backward();
        Assert.IsType<ArithmeticException>(Assert.Throws<InvalidOperationException>(hooks.ThrowIfFailed).InnerException);
        Assert.Equal(1f, x.grad![0].item<float>());
    }
}
