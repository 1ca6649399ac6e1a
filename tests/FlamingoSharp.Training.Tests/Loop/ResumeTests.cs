using System.Diagnostics;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Tests.Loop;

public sealed class ResumeTests(ITestOutputHelper output) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("resume-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_run_killed_at_twenty_random_moments_logs_the_losses_of_one_that_was_not()
    {
        const int Kills = 20;
        var random = new Random(Environment.TickCount);
        string killed = _folder + "/killed";
        var clock = Stopwatch.StartNew();
        var lives = new List<IReadOnlyList<LogLine>>();
        int halfWritten = 0;
        var next = KilledRun.Start(killed);
        for (int i = 0; i < Kills; i++)
        {
            using var process = next;
            if (i + 1 < Kills)
                next = KilledRun.Start(killed); // loads its libraries meanwhile
            process.StandardInput.WriteLine("go");
            for (int steps = random.Next(1, 80); steps > 0; steps--)
            {
                if (process.StandardOutput.ReadLine() is null)
                    Assert.Fail(process.StandardError.ReadToEnd());
            }
            Thread.Sleep(random.Next(15)); // into a step, or into a checkpoint
            process.Kill(); // SIGKILL
            process.WaitForExit();
            Assert.Equal(128 + 9, process.ExitCode);
            lives.Add(TrainingLog.Read(killed));
            halfWritten += Directory.Exists(killed + "/checkpoints") && Directory.EnumerateDirectories(killed + "/checkpoints", ".*.tmp").Any() ? 1 : 0;
        }
        int reached = lives.Max(l => l.Count == 0 ? 0 : l[^1].Step);
        output.WriteLine($"{Kills} kills in {clock.Elapsed.TotalSeconds:0.0} s; steps reached: {string.Join(" ", lives.Select(l => l.Count == 0 ? 0 : l[^1].Step))}; {halfWritten} in the middle of a checkpoint");
        Assert.True(reached > 100, $"Only {reached} steps were done: nothing was tested.");
        Assert.True(lives.Select(l => l.Count).Distinct().Count() > Kills / 2, "The kills did not come at different moments.");

        // The last life comes to an end of its own, a little further on; then everything is compared with a run of one piece.
        int end = reached + 50;
        var last = new Stopper(end);
        using (var task = KilledRun.Task())
            Assert.Throws<OperationCanceledException>(() => new TrainingLoop(task, KilledRun.Options(killed)) { Observers = [last] }.Run(last.Token));
        var straight = new Stopper(end);
        using (var task = KilledRun.Task())
            Assert.Throws<OperationCanceledException>(() => new TrainingLoop(task, KilledRun.Options(_folder + "/whole") with { CheckpointEvery = 0 }) { Observers = [straight] }.Run(straight.Token));

        var whole = TrainingLog.Read(_folder + "/whole").Select(Numbers).ToList();
        Assert.Equal(end, whole.Count(l => l.Validation is null));
        Assert.Equal(whole, TrainingLog.Read(killed).Select(Numbers));
        foreach (var life in lives)
            Assert.Equal(whole.Take(life.Count), life.Select(Numbers));
    }

    [Fact]
    public void Every_number_is_there_again_after_a_stop()
    {
        var whole = Run("whole", 60, out var weights);
        Run("stopped", 60, out _, stopAfter: 31);
        var rest = Run("stopped", 60, out var resumed, resume: true);
        Assert.Equal(whole.Bits.Skip(31), rest.Bits);
        Assert.Equal(weights, resumed);
        Assert.Equal(31, rest.Start!.FirstStep);
        Assert.Equal(whole.Outcome!.Samples, rest.Outcome!.Samples);
        Assert.Equal(whole.Outcome.BestLoss, rest.Outcome.BestLoss);
        Assert.Equal(Numbers("whole"), Numbers("stopped"));

        // A run that is over is over.
        var again = Run("stopped", 60, out _, resume: true);
        Assert.Empty(again.Steps);
        Assert.Equal(TrainingEnd.StepsDone, again.Outcome!.End);
        Assert.Equal(Numbers("whole"), Numbers("stopped"));
    }

    [Fact]
    public void As_many_threads_compute_as_before_unless_someone_says_otherwise()
    {
        int own = get_num_threads();
        try
        {
            set_num_threads(2);
            Run("run", 40, out _, stopAfter: 11);
            set_num_threads(1);
            var asBefore = Run("run", 40, out _, resume: true, stopAfter: 21);
            Assert.Equal((2, 2, 0), (get_num_threads(), asBefore.Start!.Threads, asBefore.Warnings.Count));

            set_num_threads(1);
            var otherwise = Run("run", 40, out _, resume: true, threads: 1);
            Assert.Equal((1, 1), (get_num_threads(), otherwise.Start!.Threads));
            Assert.Equal(["the run has computed with 2 threads and goes on with 1, so that losses may differ in their last bits."], otherwise.Warnings);
            Assert.Equal(40, otherwise.Outcome!.Steps);
        }
        finally
        {
            set_num_threads(own);
        }
    }

    [Fact]
    public void The_time_of_a_run_is_that_of_all_its_parts()
    {
        Run("run", 60, out _, stopAfter: 31);
        var rest = Run("run", 60, out _, resume: true);
        var time = rest.Outcome!.Time;
        Assert.True(time.Computing > rest.Outcome.StepSeconds - rest.Outcome.WaitSeconds, "Earlier parts count.");
        Assert.True(time is { Waiting: >= 0, Validating: > 0, Saving: > 0 }, $"{time}");
        Assert.InRange(time.Computing + time.Waiting + time.Validating + time.Saving, 0.2 * time.Seconds, time.Seconds + 1e-6);

        // The log ends with it, once, also when a run that is over is resumed.
        Run("run", 60, out _, resume: true);
        var last = TrainingLog.Read(Path.Combine(_folder, "run")).Where(l => l.Time is not null).ToList();
        Assert.Equal(60, Assert.Single(last).Step);
        Assert.InRange(last[0].Time!.Computing, 0.0001, 1);
    }

    [Fact]
    public void A_torn_checkpoint_is_not_taken()
    {
        var whole = Run("whole", 60, out _);
        Run("torn", 60, out _, stopAfter: 41);
        Assert.Equal(["step-40", "step-41"], Checkpoints("torn"));
        string tensors = Path.Combine(_folder, "torn", "checkpoints", "step-41", "tensors.safetensors");
        byte[] bytes = File.ReadAllBytes(tensors);
        bytes[^5] ^= 1; // one bit of one number
        File.WriteAllBytes(tensors, bytes);
        Directory.CreateDirectory(Path.Combine(_folder, "torn", "checkpoints", "step-50")); // and one of which there is nothing but the name

        var rest = Run("torn", 60, out _, resume: true);
        Assert.Equal(40, rest.Start!.FirstStep);
        Assert.Equal(2, rest.Warnings.Count);
        Assert.EndsWith("step-41' is not whole ('tensors.safetensors' is not as it was written); an earlier checkpoint is taken.", rest.Warnings[1], StringComparison.Ordinal);
        Assert.Equal(whole.Bits.Skip(40), rest.Bits);
        Assert.Equal(["step-50", "step-60"], Checkpoints("torn"));
    }

    [Fact]
    public void Old_checkpoints_go_when_new_ones_are_safe()
    {
        Run("run", 50, out _);
        Assert.Equal(["step-40", "step-50"], Checkpoints("run"));
    }

    [Fact]
    public void A_folder_with_a_run_is_not_written_over()
    {
        Run("run", 20, out _);
        var e = Assert.Throws<FlamingoException>(() => Run("run", 20, out _));
        Assert.Equal($"'{_folder}/run' holds a run that has come to step 20: add --resume to go on with it, or name another output folder.", e.Message);
    }

    [Fact]
    public void Another_configuration_or_vocabulary_is_refused_by_name()
    {
        Run("run", 20, out _);
        using var other = new TinyTask { Agreed = new() { ["vocabulary"] = "other" } };
        var options = Options("run", 20) with { Resume = true };
        options = options with { Optimization = options.Optimization with { LearningRate = 0.03 } };
        var e = Assert.Throws<FlamingoException>(() => new TrainingLoop(other, options).Run(TestContext.Current.CancellationToken));
        Assert.Equal(
            $"The run in '{_folder}/run' was begun otherwise (learning rate: 0.02 there, 0.03 here; vocabulary: tiny there, other here): repeat its options to go on, or name another output folder.",
            e.Message);
        Assert.Equal(FlamingoErrorKind.Usage, e.Kind);
    }

    [Fact]
    public void A_constant_rate_may_go_on_for_longer()
    {
        var whole = Run("whole", 40, out _);
        Run("grown", 20, out _);
        var rest = Run("grown", 40, out _, resume: true);
        Assert.Equal(whole.Bits.Skip(20), rest.Bits);
    }

    [Fact]
    public void Two_runs_do_not_write_into_one_folder()
    {
        using var task = new TinyTask();
        var second = new Intruder(() => Run("run", 20, out _, resume: true));
        new TrainingLoop(task, Options("run", 5)) { Observers = [second] }.Run(TestContext.Current.CancellationToken);
        Assert.StartsWith($"'{_folder}/run' cannot be written, or another run is writing there: ", second.Refused!.Message, StringComparison.Ordinal);
    }

    private static (int Step, double? Loss, double? Rate, double? Norm, double? Validation) Numbers(LogLine line) =>
        (line.Step, line.Loss, line.LearningRate, line.GradientNorm, line.ValidationLoss);

    private List<(int, double?, double?, double?, double?)> Numbers(string run) => [.. TrainingLog.Read(Path.Combine(_folder, run)).Select(Numbers)];

    private IEnumerable<string?> Checkpoints(string run) =>
        Directory.EnumerateDirectories(Path.Combine(_folder, run, "checkpoints")).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    private Witness Run(string name, int steps, out double[] weights, bool resume = false, int? stopAfter = null, int? threads = null)
    {
        using var task = new TinyTask();
        var witness = new Witness();
        using var stopper = new Stopper(stopAfter ?? int.MaxValue);
        var loop = new TrainingLoop(task, Options(name, steps) with { Resume = resume, Threads = threads }) { Observers = [witness, stopper] };
        if (stopAfter is null)
            loop.Run(stopper.Token);
        else
            Assert.Throws<OperationCanceledException>(() => loop.Run(stopper.Token));
        using var scope = NewDisposeScope();
        weights = [.. task.Groups.SelectMany(g => g.Parameters).SelectMany(p => TrainingLoopTests.Values(p.Parameter))];
        return witness;
    }

    private TrainingRunOptions Options(string name, int steps) => new()
    {
        Folder = Path.Combine(_folder, name),
        Optimization = new OptimizationOptions { TotalSteps = steps, LearningRate = 0.02, WarmupSteps = 2, Accumulation = 2 },
        AverageDecay = 0.9,
        ValidateEvery = 15,
        CheckpointEvery = 20,
    };

    /// <summary>Stops a run after a step, as Ctrl-C does.</summary>
    private sealed class Stopper(int after) : ITrainingObserver, IDisposable
    {
        private readonly CancellationTokenSource _source = new();

        public CancellationToken Token => _source.Token;

        // The loop asks before it tells, so the step after the one that is told of is the last.
        public void Stepped(TrainingStepReport step)
        {
            if (step.Step == after - 1)
                _source.Cancel();
        }

        public void Dispose() => _source.Dispose();
    }

    private sealed class Intruder(Action run) : ITrainingObserver
    {
        public FlamingoException? Refused { get; private set; }

        public void Started(TrainingStart start) => Refused = Assert.Throws<FlamingoException>(run);
    }
}
