using System.Diagnostics;

namespace FlamingoSharp.Training.Tests.Loop;

/// <summary>A run of <see cref="TinyTask"/> in a process of its own, so that it can be killed.</summary>
internal static class KilledRun
{
    /// <summary>The first argument of such a process.</summary>
    public const string Argument = "--tiny-run";

    /// <summary>Steps of the whole run, more than are ever done.</summary>
    public const int Steps = 100_000;

    public static TrainingRunOptions Options(string folder) => new()
    {
        Folder = folder,
        Optimization = new OptimizationOptions { TotalSteps = Steps, LearningRate = 0.01, WarmupSteps = 20, Accumulation = 2, Schedule = LearningRateSchedule.Cosine },
        AverageDecay = 0.99,
        ValidateEvery = 30,
        CheckpointEvery = 20,
        NonFinite = FaultPolicy.Skip,
        Resume = true,
    };

    public static TinyTask Task(TimeSpan delay = default) => new() { IsNaN = i => i % 97 == 5, Delay = delay };

    /// <summary>
    /// Starts the process; it loads its libraries, and waits for a line before it touches the folder. It has as many threads as this one: sums are
    /// the same to the last bit only if they are cut alike.
    /// </summary>
    public static Process Start(string folder)
    {
        string program = Path.ChangeExtension(typeof(KilledRun).Assembly.Location, null);
        return Process.Start(new ProcessStartInfo(program, [Argument, folder])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }

    /// <summary>The process.</summary>
    public static int Run(string[] args)
    {
        using var task = Task(delay: TimeSpan.FromMilliseconds(3)); // however slow the killer is, the run does not go far
        if (Console.ReadLine() is not null)
            new TrainingLoop(task, Options(args[0])) { Observers = [new Crier()] }.Run();
        return 0;
    }

    /// <summary>Says a line a step, so that the killer waits for steps and not for a time in which a busy machine takes none.</summary>
    private sealed class Crier : ITrainingObserver
    {
        public void Stepped(TrainingStepReport step) => Console.WriteLine(step.Step);
    }
}
