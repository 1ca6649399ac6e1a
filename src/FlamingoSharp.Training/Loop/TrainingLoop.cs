using FlamingoSharp.Training.Distributed;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>The loop of every stage: what a <see cref="ITrainingTask"/> learns becomes optimiser steps, validations and kept weights.</summary>
internal sealed class TrainingLoop
{
    private readonly ITrainingTask _task;
    private readonly TrainingRunOptions _options;
    private readonly IGradientExchange _exchange;
    private RunPosition _position = new();
    private IReadOnlyList<ITrainingObserver> _writers = [];

    /// <param name="task">What is learned.</param> <param name="options">How long, and what is written.</param>
    /// <param name="exchange">The other processes; null joins those that mpirun has started with this one, if there are any.</param>
    /// <exception cref="FlamingoException">The options make no sense.</exception>
    public TrainingLoop(ITrainingTask task, TrainingRunOptions options, IGradientExchange? exchange = null)
    {
        options.Validate();
        (_task, _exchange) = (task, exchange ?? TrainingProcesses.Join());
        _options = options with { Optimization = options.Optimization with { TotalSteps = StepsOf(task, options, _exchange.Size) } };
    }

    /// <summary>Told what happens, in process 0.</summary>
    public IReadOnlyList<ITrainingObserver> Observers { get; init; } = [];

    /// <summary>Writes the weights that the run is to leave behind; called in process 0, with averaged weights in place if there is an average.</summary>
    public Action<IWeightSource>? Keep { get; init; }

    /// <summary>What the time budget is measured with.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    private bool Writes => _exchange.Rank == 0;

    /// <summary>Trains to the end.</summary>
    /// <param name="cancellation">Stops after the step that is running.</param>
    /// <exception cref="FlamingoException">
    /// A micro-batch cannot be learned from; something cannot be written; or the folder holds another run, or one that is not to be gone on with.
    /// </exception>
    /// <exception cref="OperationCanceledException">The run was stopped; its checkpoint is written.</exception>
    public TrainingOutcome Run(CancellationToken cancellation = default)
    {
        using var folder = new RunFolder(_options, Writes);
        _exchange.Barrier(); // nobody looks for checkpoints while process 0 tidies them
        using var optimizer = new OptimizerStep(_task.Groups, _options.Optimization, _exchange);
        using var average = _options.AverageDecay is { } decay ? new WeightAverage(optimizer.Optimizer.States.Select(s => s.Parameter), decay) : null;
        var state = new RunState(_task, optimizer.Optimizer, average);
        var settings = RunSettings.Of(_task, _options, _exchange.Size);
        _position = folder.Restore(state, settings, message => Tell(o => o.Warned(message)));
        folder.Begin(_position);
        _writers = folder.Writers;
        try
        {
            return Run(folder, optimizer, average, cancellation);
        }
        finally
        {
            _writers = [];
        }
    }

    private double Spent => _options.TimeBudget is { } budget ? _position.Seconds / budget.TotalSeconds : 0;

    private TrainingOutcome Run(RunFolder folder, OptimizerStep optimizer, WeightAverage? average, CancellationToken cancellation)
    {
        long stepBatches = (long)_options.Optimization.Accumulation * _exchange.Size;
        using var queue = new BatchQueue(
            _task.Prepare, _position.Step * stepBatches + _exchange.Rank, _exchange.Size, _options.Optimization.TotalSteps * stepBatches,
            _options.PrepareAhead, _options.PrepareThreads);
        var runner = new StepRunner(_task, optimizer, queue, _options, _exchange, message => Tell(o => o.Warned(message)));
        long started = Clock.GetTimestamp();
        double before = _position.Seconds;
        var pace = new StepPace(_position.Time);
        folder.Try("The log", () => Tell(o => o.Started(Describe(stepBatches, optimizer) with { Settings = folder.Settings, Threads = get_num_threads() })));
        _task.SetTraining(true);
        while (true)
        {
            var end = EndOf(_position);
            if (IsValidationDue(end is not null))
            {
                Validate(folder, average, last: end is not null, pace, cancellation);
                end ??= EndOf(_position); // validation may have shown that it is time
            }
            if (end is not null || (_options.CheckpointEvery > 0 && _position.Step > 0 && _position.Step % _options.CheckpointEvery == 0))
                Save(folder, pace);
            if (end is { } reason)
                return Finish(folder, reason, pace);

            double rate = _options.Optimization.RateAt(Math.Max(_position.Step, (int)(Spent * _options.Optimization.TotalSteps)));
            pace.Begin(queue.Waited);
            var totals = runner.Run(rate, before + Clock.GetElapsedTime(started).TotalSeconds, cancellation);
            if (totals.Applied)
                average?.Update();
            pace.End(queue.Waited, totals.Samples);
            _position = _position with
            {
                Step = _position.Step + 1,
                Samples = _position.Samples + totals.Samples,
                Skipped = _position.Skipped + totals.Skipped,
                Seconds = totals.Elapsed,
                Time = pace.Time,
            };
            var report = new TrainingStepReport(
                _position.Step, totals.Loss, rate, totals.GradientNorm, totals.Samples, pace.Seconds, pace.WaitSeconds,
                Environment.WorkingSet, _position.Skipped, Remaining(pace));
            folder.Try("The log", () => Tell(o => o.Stepped(report)));
            if (!totals.Cancelled)
                continue;
            Save(folder, pace);
            throw new OperationCanceledException(cancellation);
        }
    }

    private void Save(RunFolder folder, StepPace pace)
    {
        _position = _position with { Time = pace.Time };
        pace.Saving(() => folder.Save(_position));
    }

    private static int StepsOf(ITrainingTask task, TrainingRunOptions options, int processes)
    {
        if (options.Epochs is not { } epochs)
            return options.Optimization.TotalSteps;
        if (task.EpochMicroBatches is not { } length)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"The stage '{task.Name}' draws its samples without end and has no epochs: give the number of steps.");
        return Math.Max(1, (int)Math.Ceiling(epochs * length / (options.Optimization.Accumulation * processes)));
    }

    private TrainingStart Describe(long stepBatches, OptimizerStep optimizer) => new(
        _task.Name, _position.Step, _options.Optimization.TotalSteps, optimizer.Optimizer.States.Sum(s => s.Parameter.numel()), (int)stepBatches, _exchange.Size);

    private TrainingEnd? EndOf(RunPosition position) =>
        position.Step >= _options.Optimization.TotalSteps ? TrainingEnd.StepsDone
        : Spent >= 1 ? TrainingEnd.TimeIsUp
        : position.WithoutImprovement >= _options.Patience ? TrainingEnd.NoImprovement
        : null;

    private bool IsValidationDue(bool atEnd) => _position.Step > _position.ValidatedAt
        && (atEnd || (_options.ValidateEvery > 0 && _position.Step % _options.ValidateEvery == 0));

    private void Validate(RunFolder folder, WeightAverage? average, bool last, StepPace pace, CancellationToken cancellation)
    {
        var (result, cancelled) = pace.Validating(() => Try(average, cancellation));
        double[] shared = [result is null ? 0 : 1, result?.Loss ?? 0, cancelled ? 1 : 0];
        _exchange.Sum(shared);
        if (shared[2] > 0)
        {
            Save(folder, pace); // of the steps; the run that goes on validates first
            throw new OperationCanceledException(cancellation);
        }
        _position = _position with { ValidatedAt = _position.Step };
        bool best = true;
        if (shared[0] > 0)
        {
            double loss = shared[1];
            best = double.IsFinite(loss) && !(loss >= _position.BestLoss);
            _position = best
                ? _position with { BestLoss = loss, BestStep = _position.Step, WithoutImprovement = 0 }
                : _position with { WithoutImprovement = _position.WithoutImprovement + 1 };
            if (result is not null)
                folder.Try("The log", () => Tell(o => o.Validated(new TrainingValidation(_position.Step, loss, result.Scores, best))));
        }
        if (!Writes || Keep is not { } keep || !(_options.Keep == KeptWeights.Last || best || (last && _position.BestLoss is null)))
            return;
        using var averaged = average?.Apply();
        using var weights = _task.Weights();
        pace.Saving(() => folder.Try($"The model of step {_position.Step}", () => keep(weights)));
    }

    private void LeaveOut(FlamingoException fault)
    {
        if (_options.Unreadable == FaultPolicy.Stop)
            throw StepRunner.Stopping(fault);
        Tell(o => o.Warned($"left out of validation: {fault.Message}"));
    }

    private (ValidationResult? Result, bool Cancelled) Try(WeightAverage? average, CancellationToken cancellation)
    {
        if (!Writes)
            return (null, false);
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var averaged = average?.Apply();
        _task.SetTraining(false);
        try
        {
            return (_task.Validate(LeaveOut, cancellation), false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return (null, true);
        }
        finally
        {
            _task.SetTraining(true);
        }
    }

    private TrainingOutcome Finish(RunFolder folder, TrainingEnd end, StepPace pace)
    {
        var outcome = new TrainingOutcome(
            end, _position.Step, _position.Samples, _position.BestLoss, _position.BestStep, _position.Skipped,
            pace.TotalSeconds, pace.TotalWaitSeconds, pace.TotalSeconds > 0 ? pace.TotalSamples / pace.TotalSeconds : 0)
        {
            Time = pace.Time,
        };
        folder.Try("The report", () => Tell(o => o.Ended(outcome)));
        return outcome;
    }

    private TimeSpan Remaining(StepPace pace)
    {
        double steps = (_options.Optimization.TotalSteps - _position.Step) * pace.TotalSeconds / Math.Max(1, pace.Steps);
        return TimeSpan.FromSeconds(_options.TimeBudget is { } budget ? Math.Min(steps, Math.Max(0, budget.TotalSeconds - _position.Seconds)) : steps);
    }

    private void Tell(Action<ITrainingObserver> what)
    {
        if (!Writes)
            return;
        foreach (var observer in _writers.Concat(Observers))
            what(observer);
    }
}
