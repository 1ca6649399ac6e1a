using System.Diagnostics;
using System.Globalization;
using FlamingoSharp.Training.Distributed;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Tests.Distributed;

/// <summary>One process of a test that mpirun starts.</summary>
internal static class RankProgram
{
    /// <summary>First argument of such a process.</summary>
    public const string Argument = "rank";

    /// <summary>Runs it as the command line does: an error is a sentence and an exit code, and ends all.</summary>
    public static int Run(string[] args)
    {
        try
        {
            switch (args)
            {
                case ["collectives"]:
                    Collectives(MpiCommunicator.Join()!);
                    return 0;
                case ["train", .. var rest]:
                    Train(rest.Select(a => a.Split('=')).ToDictionary(p => p[0], p => p[1]));
                    return 0;
                default:
                    return 1;
            }
        }
        catch (FlamingoException e)
        {
            Console.Error.WriteLine($"error: {e.Message}");
            return 2;
        }
    }

    private static void Collectives(MpiCommunicator mpi)
    {
        double[] doubles = [mpi.Rank + 1, 10 * (mpi.Rank + 1)];
        mpi.Sum(doubles);
        float[] floats = [.. Enumerable.Range(0, 3_000_000).Select(i => (float)(i % 1000 + mpi.Rank))]; // 12 MB
        mpi.Sum(floats);
        bool right = floats.Select((v, i) => v == i % 1000 * mpi.Size + mpi.Size * (mpi.Size - 1) / 2).All(same => same);
        byte[] bytes = [.. Enumerable.Repeat((byte)(7 + mpi.Rank), 100_000)];
        mpi.Broadcast(bytes, root: mpi.Size - 1);
        byte[][] all = mpi.Gather(Enumerable.Repeat((byte)mpi.Rank, 3 * mpi.Rank).ToArray());
        mpi.Barrier();
        // Whole lines: mpirun mixes what the processes write.
        Say($"rank {mpi.Rank} of {mpi.Size}: {doubles[0]} {doubles[1]} {right} {bytes.All(b => b == 6 + mpi.Size)} {string.Join(',', all.Select(a => string.Join('/', a)))}");
        MpiCommunicator.Leave();
    }

    private static void Train(Dictionary<string, string> options)
    {
        string? Text(string name) => options.GetValueOrDefault(name);
        int Number(string name, int otherwise) => Text(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
        bool Here(string name) => Text(name) == (MpiLaunch.Current?.Rank ?? 0).ToString(CultureInfo.InvariantCulture);

        int at = Number("at", int.MaxValue);
        using var task = new TinyModelTask(Here("odd") ? 48 : Number("width", 32))
        {
            Unreadable = index => index % 5 == Number("unreadable", -1),
            Before = index =>
            {
                if (index < at)
                    return;
                if (Here("kill"))
                    Process.GetCurrentProcess().Kill();
                if (Here("fail"))
                    throw new FlamingoException(FlamingoErrorKind.Model, "This process has had enough.");
                if (Here("hang"))
                    Thread.Sleep(Timeout.Infinite);
            },
        };
        if (Here("other")) // other first values, which process 0's replace
        {
            using (no_grad())
                task.Parameters.First().Parameter.zero_();
        }

        if (Text("threads") is { } threads)
            set_num_threads(int.Parse(threads, CultureInfo.InvariantCulture));
        var mpi = MpiCommunicator.Join();
        using var exchange = mpi is null ? null : new MpiGradientExchange(mpi, Number("bucket", 1 << 16), Text("overlap") != "false");
        var folder = Text("folder")!;
        var log = new Log();
        var run = new TrainingRunOptions
        {
            Folder = folder,
            Optimization = new OptimizationOptions
            {
                TotalSteps = Number("steps", 6),
                Accumulation = Number("accumulation", 1),
                LearningRate = 1e-2,
                WarmupSteps = 2,
                ClipEachMicroBatch = false,
            },
            Unreadable = FaultPolicy.Skip,
            ValidateEvery = 3,
            CheckpointEvery = 2,
            Resume = Text("resume") == "true",
            PrepareThreads = 1,
        };
        new TrainingLoop(task, run, exchange) { Observers = [log] }.Run();

        using var scope = NewDisposeScope();
        double sum = task.Parameters.Sum(p => p.Parameter.detach().abs().sum().item<float>());
        log.Lines.Add($"parameters {sum.ToString("R", CultureInfo.InvariantCulture)}");
        if (exchange is not null)
        {
            log.Lines.Add(string.Create(CultureInfo.InvariantCulture,
                $"overlap {exchange.Overlaps}  travel {exchange.Timing.TravelSeconds:0.000} s  wait {exchange.Timing.WaitSeconds:0.000} s  hidden {exchange.Timing.HiddenShare:0.00}"));
        }
        File.WriteAllLines(Path.Combine(folder, $"rank{exchange?.Rank ?? 0}.txt"), log.Lines);
        MpiCommunicator.Leave();
    }

    private static void Say(string line)
    {
        Console.Out.Write(line + "\n");
        Console.Out.Flush();
    }

    private sealed class Log : ITrainingObserver
    {
        public List<string> Lines { get; } = [];

        private double Seconds { get; set; }

        public void Stepped(TrainingStepReport step)
        {
            Seconds += step.Seconds;
            Lines.Add(string.Create(CultureInfo.InvariantCulture, $"step {step.Step} {step.Loss:R} {step.GradientNorm:R} {step.Samples} {step.Skipped}"));
        }

        public void Validated(TrainingValidation validation) => Lines.Add(string.Create(CultureInfo.InvariantCulture, $"validation {validation.Step} {validation.Loss:R}"));

        public void Ended(TrainingOutcome outcome) => Lines.Add(string.Create(CultureInfo.InvariantCulture, $"seconds {Seconds:0.000}"));
    }
}
