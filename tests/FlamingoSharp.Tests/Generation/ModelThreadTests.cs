using FlamingoSharp.Generation;

namespace FlamingoSharp.Tests.Generation;

public sealed class ModelThreadTests
{
    [Fact]
    public async Task After_a_cancellation_nothing_more_is_handed_out_even_if_it_is_already_there()
    {
        using var cancelled = new CancellationTokenSource();
        using var allEmitted = new ManualResetEventSlim();
        var seen = new List<int>();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (int value in ModelThread.StreamAsync<int>((emit, _) =>
            {
                for (int i = 0; i < 3; i++)
                    emit(i);
                allEmitted.Set();
            }, cancelled.Token))
            {
                seen.Add(value);
                allEmitted.Wait(TestContext.Current.CancellationToken);
                await cancelled.CancelAsync();
            }
        });
        Assert.Equal([0], seen);
    }

    [Fact]
    public async Task An_error_of_the_model_comes_after_all_that_it_said_before()
    {
        var seen = new List<int>();
        var error = await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            await foreach (int value in ModelThread.StreamAsync<int>((emit, _) =>
            {
                emit(7);
                throw new InvalidOperationException("out of breath");
            }, TestContext.Current.CancellationToken))
            {
                seen.Add(value);
            }
        });
        Assert.Equal(("out of breath", 7), (error.Message, Assert.Single(seen)));
    }
}
