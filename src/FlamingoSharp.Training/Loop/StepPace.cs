using System.Diagnostics;

namespace FlamingoSharp.Training;

/// <summary>How fast steps are, and how much of them is waiting for data; validations and checkpoints do not count.</summary>
internal sealed class StepPace
{
    private readonly Stopwatch _clock = new();
    private TimeSpan _waitedBefore;

    /// <summary>Length of the last step.</summary>
    public double Seconds { get; private set; }

    /// <summary>Of it, spent waiting.</summary>
    public double WaitSeconds { get; private set; }

    /// <summary>Steps measured.</summary>
    public int Steps { get; private set; }

    /// <summary>Length of all.</summary>
    public double TotalSeconds { get; private set; }

    /// <summary>Of it, spent waiting.</summary>
    public double TotalWaitSeconds { get; private set; }

    /// <summary>Samples in all.</summary>
    public long TotalSamples { get; private set; }

    /// <summary>A step begins.</summary>
    public void Begin(TimeSpan waited)
    {
        _waitedBefore = waited;
        _clock.Restart();
    }

    /// <summary>It ends.</summary>
    public void End(TimeSpan waited, int samples)
    {
        Seconds = _clock.Elapsed.TotalSeconds;
        WaitSeconds = (waited - _waitedBefore).TotalSeconds;
        Steps++;
        TotalSeconds += Seconds;
        TotalWaitSeconds += WaitSeconds;
        TotalSamples += samples;
    }
}
