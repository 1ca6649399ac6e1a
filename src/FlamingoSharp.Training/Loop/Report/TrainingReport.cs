using System.Globalization;
using System.Net;
using System.Text;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Training;

/// <summary>
/// A page about a run in one file that needs nothing else: what it was, its curves, and whatever sections an evaluation adds.
/// </summary>
/// <example>
/// <code>
/// var report = TrainingReport.OfRun(folder);
/// report.Add(new ReportSection("Scores").Table(["task", "accuracy"], rows).ConfusionMatrix(labels, counts));
/// report.Write();
/// </code>
/// </example>
internal sealed class TrainingReport
{
    /// <summary>Its name in the run's folder.</summary>
    public const string FileName = "report.html";

    private readonly string _folder, _title;
    private readonly List<ReportSection> _sections = [];

    private TrainingReport(string folder, string title) => (_folder, _title) = (folder, title);

    /// <summary>The report of a run as its folder tells it, finished or not.</summary>
    /// <exception cref="FlamingoException">There is no run in the folder.</exception>
    public static TrainingReport OfRun(string folder)
    {
        var run = RunSummary.Read(folder);
        var log = TrainingLog.Read(folder);
        var report = new TrainingReport(folder, $"Training: {run.Start.Task}");
        report.Add(Summary(run, log));
        report.Add(Curves(log));
        if (log.Any(l => l.Scores is not null))
            report.Add(Validations(log));
        report.Add(new ReportSection("Settings").Table(["setting", "value"], run.Start.Settings.Select(s => (IReadOnlyList<string>)[s.Key, s.Value])));
        return report;
    }

    /// <summary>Adds a section at the end.</summary>
    public TrainingReport Add(ReportSection section)
    {
        _sections.Add(section);
        return this;
    }

    /// <summary>Writes the page into the run's folder.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write() => AtomicFile.Write(Path.Combine(_folder, FileName), f => f.Write(Encoding.UTF8.GetBytes(Html())));

    /// <summary>The page.</summary>
    public string Html()
    {
        var html = new StringBuilder();
        html.Append($"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{WebUtility.HtmlEncode(_title)}</title>\n<style>{Style}</style></head>\n<body><h1>{WebUtility.HtmlEncode(_title)}</h1>\n");
        foreach (var section in _sections)
            html.Append($"<section><h2>{WebUtility.HtmlEncode(section.Title)}</h2>\n{section.Html}</section>\n");
        return html.Append("</body></html>\n").ToString();
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

    private const string Style = """
        :root{color-scheme:light dark;--ink:#1d2129;--soft:#667;--line:#dde;--paper:#fff;--c0:#2a6fdb;--c1:#d9480f;--c2:#2b8a3e;--c3:#862e9c}
        @media(prefers-color-scheme:dark){:root{--ink:#e6e8ee;--soft:#9aa;--line:#334;--paper:#14161b;--c0:#6ea8fe;--c1:#ff922b;--c2:#69db7c;--c3:#da77f2}}
        body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:860px;margin:2rem auto;padding:0 1rem}
        h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid var(--line)}h3{font-size:1rem;margin:.2rem 0}
        .wide{overflow-x:auto}table{border-collapse:collapse}th,td{padding:.2rem .8rem .2rem 0;text-align:left;vertical-align:top}
        tr:empty,tr:has(>th:empty){display:none}th{color:var(--soft);font-weight:600}.number{text-align:right;font-variant-numeric:tabular-nums}
        figure{margin:1rem 0}svg{width:100%;height:auto}figcaption,.tick,.expected,.prompt{color:var(--soft);fill:var(--soft);font-size:12px}
        .grid{stroke:var(--line);fill:none}.curve{fill:none;stroke-width:1.6;stroke-linejoin:round}.key{font-size:13px}
        .curve.c0{stroke:var(--c0)}.curve.c1{stroke:var(--c1)}.curve.c2{stroke:var(--c2)}.curve.c3{stroke:var(--c3)}
        .dot.c0,.key.c0{fill:var(--c0)}.dot.c1,.key.c1{fill:var(--c1)}.dot.c2,.key.c2{fill:var(--c2)}.dot.c3,.key.c3{fill:var(--c3)}
        .confusion td{width:2.2rem;min-width:2.2rem;height:2rem;padding:0;text-align:center;vertical-align:middle;border:1px solid var(--line)}
        .confusion .right{background:color-mix(in srgb,var(--c2) calc(var(--share)*70%),transparent)}
        .confusion .wrong{background:color-mix(in srgb,var(--c1) calc(var(--share)*70%),transparent)}
        .confusion .across{vertical-align:bottom;padding:0}.across span{writing-mode:vertical-rl;transform:rotate(180deg);padding:.3rem 0}
        .answers{display:grid;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));gap:1rem}
        .answer{border:1px solid var(--line);border-left:4px solid var(--soft);border-radius:4px;padding:.6rem}.answer p{margin:.2rem 0}
        .answer.right{border-left-color:var(--c2)}.answer.wrong{border-left-color:var(--c1)}
        .answer img{width:100%;height:96px;image-rendering:auto;border-radius:2px}
        """;
}
