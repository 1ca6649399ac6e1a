using System.Globalization;

namespace FlamingoSharp.Training;

/// <summary>The page about a training run: what it was, its curves, and whatever sections an evaluation adds.</summary>
/// <example>
/// <code>
/// TrainingReport.OfRun(folder)
///     .Add(new ReportSection("Scores").Table(["task", "accuracy"], rows).ConfusionMatrix(labels, counts))
///     .Write(folder);
/// </code>
/// </example>
internal static class TrainingReport
{
    /// <summary>The report of a run as its folder tells it, finished or not.</summary>
    /// <exception cref="FlamingoException">There is no run in the folder.</exception>
    public static ReportPage OfRun(string folder)
    {
        var run = RunSummary.Read(folder);
        var log = TrainingLog.Read(folder);
        var page = new ReportPage($"Training: {run.Start.Task}").Add(Summary(run, log)).Add(Curves(log));
        if (log.Any(l => l.Scores is not null))
            page.Add(Validations(log));
        return page.Add(new ReportSection("Settings").Table(["setting", "value"], run.Start.Settings.Select(s => (IReadOnlyList<string>)[s.Key, s.Value])));
    }

    private static ReportSection Summary(RunSummary run, IReadOnlyList<LogLine> log)
    {
        var steps = log.Where(l => l.LearningRate is not null).ToList();
        var rows = new List<IReadOnlyList<string>>
        {
            new[] { "steps", Text($"{steps.LastOrDefault()?.Step ?? 0:#,0} of {run.Start.TotalSteps:#,0}") },
            new[] { "numbers that learn", Text($"{run.Start.Parameters:#,0}") },
            new[] { "micro-batches a step", Text($"{run.Start.MicroBatchesAStep}, by {run.Start.Processes} process{(run.Start.Processes == 1 ? "" : "es")}") },
        };
        if (run.Outcome is { } outcome)
        {
            rows.Add(["ended because", outcome.End switch { TrainingEnd.StepsDone => "its steps were done", TrainingEnd.TimeIsUp => "its time was up", _ => "validation stopped getting better" }]);
            rows.Add(["samples learned from", Text($"{outcome.Samples:#,0}")]);
            if (outcome.BestLoss is { } best)
                rows.Add(["smallest validation loss", Text($"{best:0.0000} at step {outcome.BestStep:#,0}")]);
            if (outcome.StepSeconds > 0)
            {
                rows.Add(["speed", Text($"{outcome.SamplesPerSecond:#,0.0} samples/s")]);
                rows.Add(["model compute in a step", Text($"{100 * outcome.ComputeShare:0.0} %; the rest is waiting for data")]);
            }
            if (outcome.Time is { Seconds: > 0 } time)
            {
                string Share(double seconds) => Text($"{100 * time.ShareOf(seconds):0.0} %");
                rows.Add(["time", Text($"{time.Seconds:#,0} s with {run.Start.Threads} thread{(run.Start.Threads == 1 ? "" : "s")}: {Share(time.Computing)} computing (forward, backward, optimiser), {Share(time.Waiting)} waiting for data, {Share(time.Validating)} validation, {Share(time.Saving)} writing checkpoints and the model")]);
            }
            if (outcome.Skipped > 0)
                rows.Add(["micro-batches left out", Text($"{outcome.Skipped:#,0}")]);
        }
        return new ReportSection("Summary").Table(["", ""], rows);
    }

    private static ReportSection Curves(IReadOnlyList<LogLine> log)
    {
        var section = new ReportSection("Curves").Chart("Loss; of long runs, means over stretches.",
            new ChartSeries("training", Points(l => l.Loss)), new ChartSeries("validation", Points(l => l.ValidationLoss), Dots: true));
        return section.Chart("Learning rate.", new ChartSeries("learning rate", Points(l => l.LearningRate)))
            .Chart("Norm of the gradients before clipping.", new ChartSeries("norm", Points(l => l.GradientNorm)))
            .Chart("Samples a second.", new ChartSeries("samples/s", Points(l => l.SamplesPerSecond)));

        List<(double, double)> Points(Func<LogLine, double?> of) => [.. from line in log let value = of(line) where value is not null select ((double)line.Step, value.Value)];
    }

    private static ReportSection Validations(IReadOnlyList<LogLine> log)
    {
        var lines = log.Where(l => l.Scores is not null).ToList();
        var names = lines.SelectMany(l => l.Scores!.Keys).Distinct().ToList();
        return new ReportSection("Validations").Table(
            ["step", "loss", .. names],
            lines.Select(l => (IReadOnlyList<string>)[Text($"{l.Step}"), Text($"{l.ValidationLoss:0.0000}"), .. names.Select(n => l.Scores!.TryGetValue(n, out double v) ? Text($"{v:0.0000}") : "")]));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
