using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace FlamingoSharp.Generation;

/// <summary>Runs a model on a thread of its own and hands over what it gives as it comes.</summary>
/// <remarks>Torch's dispose scopes and gradient modes belong to a thread and would not survive an await.</remarks>
internal static class ModelThread
{
    /// <summary>Enumerates what the work emits.</summary>
    /// <remarks>Leaving the enumeration early cancels the work and waits for it. An error of the work is thrown after all that it emitted before.</remarks>
    /// <param name="work">Is given the way to emit a value and the token that cancels it; runs on its own thread from start to end.</param>
    /// <param name="cancellation">Cancels the work.</param>
    public static async IAsyncEnumerable<T> StreamAsync<T>(
        Action<Action<T>, CancellationToken> work, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        // Unbounded, because a slow reader must not hold up the other rows of a batch; an answer's length bounds it.
        var values = Channel.CreateUnbounded<T>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        var model = Task.Factory.StartNew(Work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            await foreach (var value in values.Reader.ReadAllAsync(stop.Token).ConfigureAwait(false))
            {
                cancellation.ThrowIfCancellationRequested(); // the channel hands out what is queued whatever was cancelled
                yield return value;
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await model.ConfigureAwait(false);
        }

        void Work()
        {
            try
            {
                work(value => values.Writer.TryWrite(value), stop.Token);
                values.Writer.Complete();
            }
            catch (Exception error)
            {
                values.Writer.Complete(error); // the reader throws it
            }
        }
    }
}
