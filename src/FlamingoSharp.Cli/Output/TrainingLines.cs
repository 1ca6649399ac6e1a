using System.Diagnostics;
using System.Globalization;
using FlamingoSharp.Training;

namespace FlamingoSharp.Cli.Output;

/// <summary>A training run in lines: one every ten seconds, one a validation. Also keeps the figures that a dashboard shows.</summary>
internal sealed class TrainingLines(Action<string> say) : ITrainingObserver
{
    private const int Smoothing = 50; // steps that the figures are means over

    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(10);

    private readonly Queue<TrainingStepReport> _recent = new();
    private readonly List<double> _losses = [];
    private readonly Stopwatch _said = new();
    private TrainingStart? _start;
    private TrainingValidation? _validation;
    private (double Loss, int Step)? _best;

    /// <summary>Which stage it is.</summary>
    public string Title => _start is null ? "training" : _start.Processes == 1 ? $"training: {_start.Task}" : $"training: {_start.Task}, {_start.Processes} processes";

    private double Loss => _recent.Where(s => double.IsFinite(s.Loss)).Select(s => s.Loss).DefaultIfEmpty(double.NaN).Average();

    private double SamplesPerSecond => _recent.Sum(s => s.Samples) / Math.Max(1e-9, _recent.Sum(s => s.Seconds));

    private double DataWait => _recent.Sum(s => s.WaitSeconds) / Math.Max(1e-9, _recent.Sum(s => s.Seconds));

    /// <inheritdoc/>
    public void Started(TrainingStart start)
    {
        _start = start;
        _said.Restart();
        say(Invariant($"{Title}: {start.Parameters:#,0} numbers learn, {start.TotalSteps:#,0} steps{(start.FirstStep > 0 ? Invariant($", going on from step {start.FirstStep:#,0}") : "")}"));
    }

    /// <inheritdoc/>
    public void Stepped(TrainingStepReport step)
    {
        _recent.Enqueue(step);
        if (_recent.Count > Smoothing)
            _recent.Dequeue();
        if (double.IsFinite(step.Loss))
            _losses.Add(step.Loss);
        if (_said.Elapsed < s_pause && step.Step < _start?.TotalSteps && _losses.Count > 1)
            return;
        _said.Restart();
        say(Invariant(
            $"step {step.Step} of {_start?.TotalSteps}  loss {Loss:0.0000}  rate {step.LearningRate:0.0e+0}  {SamplesPerSecond:0.0} samples/s  {100 * DataWait:0} % waiting for data  {Megabytes(step)} MB  {Time(step.Remaining)} left"));
    }

    /// <inheritdoc/>
    public void Validated(TrainingValidation validation)
    {
        _validation = validation;
        if (validation.IsBest)
            _best = (validation.Loss, validation.Step);
        say(Invariant($"step {validation.Step}  validation {Scores(validation)}{(validation.IsBest ? "  best" : "")}"));
    }

    /// <inheritdoc/>
    public void Warned(string message) => say($"warning: {message}");

    /// <summary>What is to be seen at a glance, by name.</summary>
    public IEnumerable<(string Name, string Value)> Figures()
    {
        if (_recent.Count == 0)
            yield break;
        var step = _recent.Last();
        int total = _start?.TotalSteps ?? step.Step;
        yield return ("step", Invariant($"{step.Step:#,0} of {total:#,0}  ({100.0 * step.Step / Math.Max(1, total):0} %, {Time(step.Remaining)} left)"));
        yield return ("loss", Invariant($"{Loss:0.0000}"));
        if (_validation is { } validation)
            yield return ("validation", Invariant($"{Scores(validation)}  at step {validation.Step:#,0}{(_best is { } best ? Invariant($"; best {best.Loss:0.0000} at {best.Step:#,0}") : "")}"));
        yield return ("learning rate", Invariant($"{step.LearningRate:0.00e+0}"));
        yield return ("gradient norm", Invariant($"{step.GradientNorm:0.000}"));
        yield return ("speed", Invariant($"{SamplesPerSecond:0.0} samples/s, {100 * DataWait:0} % waiting for data"));
        yield return ("memory", Invariant($"{Megabytes(step):#,0} MB"));
        if (step.Skipped > 0)
            yield return ("left out", Invariant($"{step.Skipped:#,0} micro-batches"));
    }

    /// <summary>The loss from the first step to now, as means of equal stretches.</summary>
    public IReadOnlyList<double> LossCurve(int points) => _losses.Count == 0 ? [] :
        [.. _losses.Chunk((_losses.Count + points - 1) / points).Select(c => c.Average())];

    private static string Scores(TrainingValidation validation) =>
        Invariant($"loss {validation.Loss:0.0000}") + string.Concat(validation.Scores.Select(s => Invariant($"  {s.Key} {s.Value:0.000}")));

    private static long Megabytes(TrainingStepReport step) => step.MemoryBytes >> 20;

    private static string Time(TimeSpan time) => time < TimeSpan.FromMinutes(1) ? Invariant($"{time.TotalSeconds:0} s")
        : time < TimeSpan.FromHours(1) ? Invariant($"{(int)time.TotalMinutes} min {time.Seconds} s")
        : Invariant($"{(int)time.TotalHours} h {time.Minutes} min");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
