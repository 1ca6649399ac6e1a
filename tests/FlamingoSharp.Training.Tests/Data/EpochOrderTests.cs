using FlamingoSharp.TestKit;
using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.Tests.Data;

public sealed class EpochOrderTests
{
    [Fact, NoTensorLeak]
    public void The_first_epoch_is_torchs_permutation_with_seed_0() =>
        Assert.Equal([4, 1, 7, 5, 3, 9, 0, 8, 6, 2], EpochOrder.For(10, epoch: 0)); // torch.manual_seed(0); torch.randperm(10)

    [Fact]
    public void Each_epoch_has_its_own_order() => Assert.NotEqual(EpochOrder.For(10, epoch: 0), EpochOrder.For(10, epoch: 1));

    [Theory]
    [InlineData(10, 3)]
    [InlineData(9, 3)]
    [InlineData(2, 5)]
    public void Processes_share_an_epoch_evenly_and_leave_nothing_out(int count, int processes)
    {
        int[][] shares = [.. Enumerable.Range(0, processes).Select(p => EpochOrder.For(count, epoch: 4, processes, p))];
        Assert.All(shares, s => Assert.Equal((count + processes - 1) / processes, s.Length));
        Assert.Equal(Enumerable.Range(0, count), shares.SelectMany(s => s).Distinct().Order());
    }

    [Fact]
    public void An_empty_epoch_has_an_empty_order() => Assert.Empty(EpochOrder.For(0, epoch: 0));
}
