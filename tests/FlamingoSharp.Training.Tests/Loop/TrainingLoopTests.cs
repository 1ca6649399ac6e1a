using FlamingoSharp.Runtime;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Training.Tests.Loop;

public sealed class TrainingLoopTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("loop-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact, NoTensorLeak]
    public void Losses_do_not_depend_on_how_batches_are_laid_out_ahead()
    {
        var alone = Run(new TinyTask(), Options(30) with { PrepareAhead = 1, PrepareThreads = 1 });
        var ahead = Run(new TinyTask(), Options(30) with { PrepareAhead = 7, PrepareThreads = 4, Folder = _folder + "/2" });
        Assert.Equal(alone.Bits, ahead.Bits);
        Assert.Equal(30, alone.Steps.Count);
        Assert.True(alone.Steps[25..].Average(s => s.Loss) < 0.5 * alone.Steps[..5].Average(s => s.Loss), "The task is not learned.");
    }

    [Fact]
    public void Every_micro_batch_is_laid_out_once_and_none_beyond_the_end()
    {
        var task = new TinyTask();
        var witness = Run(task, Options(5) with { Optimization = Options(5).Optimization with { Accumulation = 3 }, ValidateEvery = 0 });
        Assert.Equal(Enumerable.Range(0, 15).Select(i => (long)i).Append(1_000_000), task.Prepared.Order());
        Assert.All(witness.Steps, s => Assert.Equal(12, s.Samples));
        Assert.Equal(60, witness.Outcome!.Samples);
    }

    [Fact]
    public void Epochs_become_steps()
    {
        var witness = Run(new TinyTask(), Options(0) with { Epochs = 1.5, Optimization = new() { Accumulation = 4 } });
        Assert.Equal(4, witness.Start!.TotalSteps); // 15 micro-batches of 4 a step
        Assert.Equal(TrainingEnd.StepsDone, witness.Outcome!.End);
    }

    [Fact]
    public void A_seed_repeats_what_dropout_draws_and_another_does_not()
    {
        var once = Run(new TinyTask(), Options(3));
        TorchSharp.torch.rand(3).Dispose(); // whatever was drawn before does not matter
        var again = Run(new TinyTask(), Options(3) with { Folder = _folder + "/2" });
        var other = Run(new TinyTask(), Options(3) with { Folder = _folder + "/3", Seed = 43 });
        Assert.Equal(once.Bits, again.Bits);
        Assert.NotEqual(once.Bits, other.Bits);
    }

    [Fact]
    public void The_rate_follows_the_schedule_and_each_group_its_own_share_of_it()
    {
        using var task = new TinyTask();
        var before = task.Groups.Select(g => g.Parameters[0].Parameter.detach().clone()).ToList();
        var witness = Run(task, Options(1) with { Optimization = new() { TotalSteps = 1, WarmupSteps = 0, LearningRate = 0.01 } }, dispose: false);
        Assert.Equal(0.01, witness.Steps[0].LearningRate);
        // Adam's first step moves every number by the rate, whatever its gradient is; the first group is decayed as well.
        var moved = task.Groups.Select((g, i) => g.Parameters[0].Parameter.detach().Plus(before[i].Times(i == 0 ? 0.01 * 0.1 - 1 : -1)).abs().max().item<float>()).ToList();
        Assert.Equal(0.01, moved[0], 1e-4);
        Assert.Equal(0.005, moved[1], 1e-4);
        before.ForEach(t => t.Dispose());
    }

    [Fact]
    public void A_loss_that_is_no_number_stops_and_says_what_to_do()
    {
        var task = new TinyTask { IsNaN = i => i == 4 };
        var e = Assert.Throws<FlamingoException>(() => Run(task, Options(10)));
        Assert.Equal("The loss of micro-batch 4 is NaN, no finite number. Lower the learning rate, warm up longer, or leave such micro-batches out (--non-finite skip).", e.Message);
        Assert.Equal(FlamingoErrorKind.Model, e.Kind);
    }

    [Fact]
    public void A_loss_that_is_no_number_can_be_left_out_and_is_counted()
    {
        var clean = Run(new TinyTask(), Options(4));
        var task = new TinyTask { IsNaN = i => i is 4 or 6 };
        var witness = Run(task, Options(10) with { NonFinite = FaultPolicy.Skip, Folder = _folder + "/2" });
        Assert.Equal(clean.Bits, witness.Bits.Take(4));
        Assert.Equal([4, 6], witness.Steps.Index().Where(s => double.IsNaN(s.Item.Loss)).Select(s => s.Index));
        Assert.True(double.IsFinite(witness.Steps[^1].Loss));
        Assert.Equal(2, witness.Outcome!.Skipped);
        Assert.Equal(2, witness.Warnings.Count);
    }

    [Fact]
    public void A_sound_that_is_gone_stops_or_is_left_out()
    {
        var e = Assert.Throws<FlamingoException>(() => Run(new TinyTask { IsGone = i => i == 2 }, Options(10)));
        Assert.Equal("'sound-2.wav' does not exist. Restore the file and go on with --resume, or leave such micro-batches out (--unreadable skip).", e.Message);
        Assert.Equal(FlamingoErrorKind.Input, e.Kind);
        var witness = Run(new TinyTask { IsGone = i => i % 5 == 2 }, Options(10) with { Unreadable = FaultPolicy.Skip, Folder = _folder + "/2" });
        Assert.Equal(2, witness.Outcome!.Skipped);
        Assert.Equal("left out: 'sound-2.wav' does not exist.", witness.Warnings[0]);
        Assert.Equal(8 * 4, witness.Outcome.Samples);
    }

    [Fact]
    public void A_validation_sound_that_is_gone_stops_or_is_left_out_too()
    {
        var e = Assert.Throws<FlamingoException>(() => Run(new TinyTask { IsValidationGone = true }, Options(10)));
        Assert.Equal("'held.wav' does not exist. Restore the file and go on with --resume, or leave such micro-batches out (--unreadable skip).", e.Message);
        var witness = Run(new TinyTask { IsValidationGone = true }, Options(10) with { Unreadable = FaultPolicy.Skip, Folder = _folder + "/2" });
        Assert.Equal(0, witness.Outcome!.Skipped);
        Assert.Equal("left out of validation: 'held.wav' does not exist.", witness.Warnings[0]);
    }

    [Fact]
    public void Too_many_in_a_row_stop_the_run()
    {
        var task = new TinyTask { IsGone = i => i >= 3 };
        var e = Assert.Throws<FlamingoException>(() => Run(task, Options(30) with { Unreadable = FaultPolicy.Skip, FaultsInARow = 5 }));
        Assert.Equal("6 micro-batches in a row could not be learned from; 5 may be left out. The last one: 'sound-8.wav' does not exist.", e.Message);
    }

    [Fact]
    public void Stops_when_validation_no_longer_gets_better_and_keeps_the_best()
    {
        var kept = new List<int>();
        var witness = new Witness();
        using var task = new TinyTask(validationDrift: 10);
        new TrainingLoop(task, Options(100) with { ValidateEvery = 5, Patience = 2 })
        {
            Observers = [witness],
            Keep = _ => kept.Add(witness.Steps.Count),
        }.Run(TestContext.Current.CancellationToken);
        Assert.Equal(TrainingEnd.NoImprovement, witness.Outcome!.End);
        Assert.Equal(15, witness.Outcome.Steps);
        Assert.Equal(5, witness.Outcome.BestStep);
        Assert.Equal([5], kept);
        Assert.Equal([true, false, false], witness.Validations.Select(v => v.IsBest));
    }

    [Fact]
    public void What_is_validated_and_kept_is_the_average_and_training_goes_on_with_the_weights_themselves()
    {
        double[] kept = [];
        using var task = new TinyTask();
        var options = Options(8) with { AverageDecay = 0.9, ValidateEvery = 4, Keep = KeptWeights.Last };
        var witness = new Witness();
        new TrainingLoop(task, options)
        {
            Observers = [witness],
            Keep = w => kept = [.. Values(w.Read("hidden.weight"))],
        }.Run(TestContext.Current.CancellationToken);
        Assert.NotEqual(Values(task.Groups[0].Parameters[0].Parameter), kept);
        var plain = Run(new TinyTask(), options with { AverageDecay = null, Folder = _folder + "/2" });
        Assert.Equal(plain.Bits, witness.Bits);
        Assert.NotEqual(plain.Validations[^1].Loss, witness.Validations[^1].Loss);
    }

    [Fact]
    public void Ends_when_its_time_is_up_with_a_whole_schedule()
    {
        var options = Options(1_000_000) with { TimeBudget = TimeSpan.FromSeconds(0.5), ValidateEvery = 0 };
        options = options with { Optimization = options.Optimization with { Schedule = LearningRateSchedule.Linear, WarmupSteps = 0 } };
        var witness = new Witness();
        using var task = new TinyTask();
        new TrainingLoop(task, options) { Observers = [witness], Clock = new SlowClock() }.Run(TestContext.Current.CancellationToken);
        Assert.Equal(TrainingEnd.TimeIsUp, witness.Outcome!.End);
        Assert.Equal(options.Optimization.LearningRate, witness.Steps[0].LearningRate);
        for (int i = 2; i < witness.Steps.Count; i++) // each step takes a fiftieth of the time, and of the rate
            Assert.Equal(options.Optimization.LearningRate / 50, witness.Steps[i - 1].LearningRate - witness.Steps[i].LearningRate, 1e-7);
        Assert.Equal(options.Optimization.LearningRate / 50, witness.Steps[^1].LearningRate, 1e-7);
        Assert.Single(witness.Validations);
    }

    [Fact]
    public void A_run_without_length_is_refused()
    {
        var e = Assert.Throws<FlamingoException>(() => new TrainingLoop(new TinyTask(), Options(0)));
        Assert.Equal("The run has no length: give the number of steps or of epochs.", e.Message);
    }

    internal static double[] Values(TorchSharp.torch.Tensor tensor)
    {
        using var flat = tensor.detach().to_type(TorchSharp.torch.ScalarType.Float64).reshape(-1).contiguous();
        return flat.data<double>().ToArray();
    }

    private static Witness Run(TinyTask task, TrainingRunOptions options, bool dispose = true)
    {
        var witness = new Witness();
        try
        {
            new TrainingLoop(task, options) { Observers = [witness] }.Run(TestContext.Current.CancellationToken);
        }
        finally
        {
            if (dispose)
                task.Dispose();
        }
        return witness;
    }

    /// <summary>A hundredth of a second passes whenever somebody looks.</summary>
    private sealed class SlowClock : TimeProvider
    {
        private long _now;

        public override long GetTimestamp() => _now += TimestampFrequency / 100;
    }

    private TrainingRunOptions Options(int steps) => new()
    {
        Folder = Path.Combine(_folder, "run"),
        Optimization = new OptimizationOptions { TotalSteps = steps, LearningRate = 0.02, WarmupSteps = 2 },
        ValidateEvery = 10,
    };
}
