using System.Diagnostics;

namespace FlamingoSharp.Training.Distributed;

/// <summary>Where the time of exchanging gradients went.</summary>
internal sealed class ExchangeTiming
{
    /// <summary>Averages so far.</summary>
    public int Averages { get; private set; }

    /// <summary>Seconds in which gradients were on their way.</summary>
    public double TravelSeconds { get; private set; }

    /// <summary>Seconds in which the model waited for them after its backward pass; the rest of their travel is hidden behind it.</summary>
    public double WaitSeconds { get; private set; }

    /// <summary>Share of the travel that cost no time.</summary>
    public double HiddenShare => TravelSeconds > 0 ? Math.Clamp(1 - WaitSeconds / TravelSeconds, 0, 1) : 0;

    /// <summary>Takes one average in.</summary>
    /// <param name="operations">What travelled.</param> <param name="waiting">When the wait for them began, by <see cref="Stopwatch.GetTimestamp"/>.</param>
    public void Add(IEnumerable<PendingOperation> operations, long waiting)
    {
        Averages++;
        WaitSeconds += Stopwatch.GetElapsedTime(waiting).TotalSeconds;
        long until = 0;
        foreach (var operation in operations.OrderBy(o => o.Begun))
        {
            long from = Math.Max(operation.Begun, until);
            until = Math.Max(operation.Ended, until);
            TravelSeconds += Math.Max(0, Stopwatch.GetElapsedTime(from, until).TotalSeconds);
        }
    }
}
