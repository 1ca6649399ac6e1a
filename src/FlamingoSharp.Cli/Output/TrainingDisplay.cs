using System.Diagnostics;
using System.Globalization;
using FlamingoSharp.Training;
using Spectre.Console;
using Spectre.Console.Rendering;
using Label = Spectre.Console.Text;

namespace FlamingoSharp.Cli.Output;

/// <summary>Shows a training run while it runs: a picture that changes on a terminal, a line now and then elsewhere; on standard error.</summary>
internal static class TrainingDisplay
{
    /// <summary>Trains under the eyes of whoever watches.</summary>
    /// <param name="work">Given who is to be told.</param>
    public static T Watch<T>(Func<ITrainingObserver, T> work)
    {
        if (!Terminal.Watched)
            return work(new TrainingLines(Terminal.Tell));
        var state = new TrainingLines(_ => { });
        return Terminal.Live(new Label("Preparing…"), show => work(new Dashboard(state, show)));
    }

    /// <summary>What a run came to, in a sentence.</summary>
    public static string Summary(TrainingOutcome outcome, string folder)
    {
        string end = outcome.End switch
        {
            TrainingEnd.StepsDone => "",
            TrainingEnd.TimeIsUp => ", when its time was up",
            _ => ", because validation stopped getting better",
        };
        string best = outcome.BestLoss is { } loss ? Invariant($"; smallest validation loss {loss:0.0000} at step {outcome.BestStep}") : "";
        string skipped = outcome.Skipped > 0 ? Invariant($"; {outcome.Skipped} micro-batches left out") : "";
        string time = outcome.Time is { Seconds: > 0 } all ? Invariant(
            $"; in all {all.Seconds:0} s: {Share(all, all.Computing)} computing, {Share(all, all.Waiting)} waiting for data, {Share(all, all.Validating)} validation, {Share(all, all.Saving)} writing") : "";
        return Invariant($"{folder}: {outcome.Steps} steps{end}{best}{skipped}; {outcome.SamplesPerSecond:0.0} samples/s, {100 * outcome.WaitSeconds / Math.Max(1e-9, outcome.StepSeconds):0.0} % waiting for data{time}");
    }

    private static string Share(TrainingTime time, double seconds) => Invariant($"{100 * time.ShareOf(seconds):0.0} %");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>The picture on a terminal.</summary>
    private sealed class Dashboard(TrainingLines state, Action<IRenderable> show) : ITrainingObserver
    {
        private const string Heights = "▁▂▃▄▅▆▇█";

        private const int CurveWidth = 48; // characters

        private readonly Stopwatch _shown = new();

        public void Started(TrainingStart start)
        {
            state.Started(start);
            Show();
        }

        public void Stepped(TrainingStepReport step)
        {
            state.Stepped(step);
            if (!_shown.IsRunning || _shown.ElapsedMilliseconds > 250)
                Show();
        }

        public void Validated(TrainingValidation validation)
        {
            state.Validated(validation);
            Show();
        }

        public void Warned(string message) => Terminal.Warn(message);

        public void Ended(TrainingOutcome outcome) => Show();

        private void Show()
        {
            _shown.Restart();
            var grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn(new GridColumn().NoWrap());
            foreach (var (name, value) in state.Figures())
                grid.AddRow(new Label(name, new Style(Color.Grey)), new Label(value));
            grid.AddRow(new Label("loss so far", new Style(Color.Grey)), new Label(Curve(state.LossCurve(CurveWidth)), new Style(Color.Aqua)));
            show(new Panel(grid) { Header = new PanelHeader($" {state.Title} "), Border = BoxBorder.Rounded, Padding = new Padding(1, 0) });
        }

        private static string Curve(IReadOnlyList<double> values)
        {
            if (values.Count == 0)
                return "";
            double low = values.Min(), range = Math.Max(1e-12, values.Max() - low);
            return string.Concat(values.Select(v => Heights[(int)Math.Min(Heights.Length - 1, (v - low) / range * Heights.Length)]));
        }
    }
}
