namespace FlamingoSharp.Training;

/// <summary>What a run is, told once before its first step.</summary>
/// <param name="Task">The stage.</param> <param name="FirstStep">Steps already done by earlier parts of the run.</param>
/// <param name="TotalSteps">Steps of the whole run.</param> <param name="Parameters">Numbers that learn.</param>
/// <param name="MicroBatchesAStep">Over all processes.</param> <param name="Processes">That train together.</param>
public sealed record TrainingStart(string Task, int FirstStep, int TotalSteps, long Parameters, int MicroBatchesAStep, int Processes)
{
    /// <summary>What the run was started with, by name.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>Threads that torch computes with, in process 0.</summary>
    public int Threads { get; init; }
}

/// <summary>One optimiser step.</summary>
/// <param name="Step">Steps done, this one included.</param> <param name="Loss">Mean over the step's micro-batches; NaN if all were left out.</param>
/// <param name="LearningRate">Of this step.</param> <param name="GradientNorm">Before the last clipping.</param>
/// <param name="Samples">Learned from in this step, over all processes.</param> <param name="Seconds">That the step took.</param>
/// <param name="WaitSeconds">Of these, spent waiting for data.</param> <param name="MemoryBytes">Of this process.</param>
/// <param name="Skipped">Micro-batches left out so far.</param> <param name="Remaining">Time to the end at this pace.</param>
public sealed record TrainingStepReport(
    int Step, double Loss, double LearningRate, double GradientNorm, int Samples, double Seconds, double WaitSeconds, long MemoryBytes, int Skipped, TimeSpan Remaining)
{
    /// <summary>Speed of this step.</summary>
    public double SamplesPerSecond => Seconds > 0 ? Samples / Seconds : 0;
}

/// <summary>One validation.</summary>
/// <param name="Step">Steps done.</param> <param name="Loss">The smaller, the better.</param> <param name="Scores">Further figures by name.</param>
/// <param name="IsBest">True if no earlier one was better.</param>
public sealed record TrainingValidation(int Step, double Loss, IReadOnlyDictionary<string, double> Scores, bool IsBest);

/// <summary>Why a run ended.</summary>
public enum TrainingEnd
{
    /// <summary>Its steps are done.</summary>
    StepsDone,

    /// <summary>Its time is up.</summary>
    TimeIsUp,

    /// <summary>Validation stopped getting better.</summary>
    NoImprovement,
}

/// <summary>Where the time of a run went, all its parts together, in process 0; all in seconds. What is left over went to logs and the display.</summary>
/// <param name="Seconds">In all.</param> <param name="Computing">Steps, but for waiting: forward and backward passes, the optimiser.</param>
/// <param name="Waiting">Steps that waited for data.</param> <param name="Validating">Validations.</param>
/// <param name="Saving">Writing checkpoints and the model.</param>
public sealed record TrainingTime(double Seconds, double Computing, double Waiting, double Validating, double Saving)
{
    /// <summary>Share of the whole time, from 0 to 1.</summary>
    public double ShareOf(double seconds) => Seconds > 0 ? seconds / Seconds : 0;
}

/// <summary>What a run came to.</summary>
/// <param name="End">Why it ended.</param> <param name="Steps">Steps of the whole run.</param> <param name="Samples">Learned from, in the whole run.</param>
/// <param name="BestLoss">Smallest validation loss; null if nothing was validated.</param> <param name="BestStep">Where that was.</param>
/// <param name="Skipped">Micro-batches left out.</param> <param name="StepSeconds">Time in steps, of this part of the run.</param>
/// <param name="WaitSeconds">Of these, spent waiting for data.</param> <param name="SamplesPerSecond">In steps, of this part of the run.</param>
public sealed record TrainingOutcome(
    TrainingEnd End, int Steps, long Samples, double? BestLoss, int BestStep, int Skipped, double StepSeconds, double WaitSeconds, double SamplesPerSecond)
{
    /// <summary>Where the time of the whole run went.</summary>
    public TrainingTime Time { get; init; } = new(0, 0, 0, 0, 0);

    /// <summary>Share of the steps' time, of this part of the run, that was not spent waiting for data.</summary>
    public double ComputeShare => StepSeconds > 0 ? 1 - (WaitSeconds / StepSeconds) : 0;
}

/// <summary>Watches a run: called on the thread that trains, in process 0 alone.</summary>
public interface ITrainingObserver
{
    /// <summary>Before the first step.</summary>
    void Started(TrainingStart start)
    {
    }

    /// <summary>After every step.</summary>
    void Stepped(TrainingStepReport step)
    {
    }

    /// <summary>After every validation.</summary>
    void Validated(TrainingValidation validation)
    {
    }

    /// <summary>Something odd, e.g. a sound that was left out.</summary>
    void Warned(string message)
    {
    }

    /// <summary>After a run that came to its end; not after one that was stopped.</summary>
    void Ended(TrainingOutcome outcome)
    {
    }
}
