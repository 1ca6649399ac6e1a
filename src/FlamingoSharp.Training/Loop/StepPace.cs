using System.Diagnostics;

namespace FlamingoSharp.Training;

/// <summary>How fast steps are, and where the time of a run goes.</summary>
/// <param name="before">The time of the run's earlier parts; null if there were none.</param>
internal sealed class StepPace(TrainingTime? before)
{
    private readonly TrainingTime _before = before ?? new(0, 0, 0, 0, 0);
    private readonly Stopwatch _whole = Stopwatch.StartNew(), _step = new(), _validating = new(), _saving = new();
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

    /// <summary>Where the time of the run went so far, earlier parts included.</summary>
    public TrainingTime Time => new(
        _before.Seconds + _whole.Elapsed.TotalSeconds,
        _before.Computing + TotalSeconds - TotalWaitSeconds,
        _before.Waiting + TotalWaitSeconds,
        _before.Validating + _validating.Elapsed.TotalSeconds,
        _before.Saving + _saving.Elapsed.TotalSeconds);

    /// <summary>A step begins.</summary>
    public void Begin(TimeSpan waited)
    {
        _waitedBefore = waited;
        _step.Restart();
    }

    /// <summary>It ends.</summary>
    public void End(TimeSpan waited, int samples)
    {
        Seconds = _step.Elapsed.TotalSeconds;
        WaitSeconds = (waited - _waitedBefore).TotalSeconds;
        Steps++;
        TotalSeconds += Seconds;
        TotalWaitSeconds += WaitSeconds;
        TotalSamples += samples;
    }

    /// <summary>Validates.</summary>
    public T Validating<T>(Func<T> work) => During(_validating, work);

    /// <summary>Writes a checkpoint, or the model.</summary>
    public void Saving(Action work) => During(_saving, () =>
    {
        work();
        return 0;
    });

    private static T During<T>(Stopwatch clock, Func<T> work)
    {
        clock.Start();
        try
        {
            return work();
        }
        finally
        {
            clock.Stop();
        }
    }
}
