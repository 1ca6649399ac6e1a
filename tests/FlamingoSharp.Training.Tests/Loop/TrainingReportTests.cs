using System.Xml.Linq;
using FlamingoSharp.Explain;

namespace FlamingoSharp.Training.Tests.Loop;

public sealed class TrainingReportTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("report-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_run_leaves_a_page_that_needs_nothing_else()
    {
        using var task = new TinyTask();
        new TrainingLoop(task, Options()).Run(TestContext.Current.CancellationToken);
        string html = File.ReadAllText(Path.Combine(_folder, "report.html"));
        Assert.Contains("Training: tiny", html, StringComparison.Ordinal);
        Assert.Contains("<td>learning rate</td><td class=\"number\">0.02</td>", html, StringComparison.Ordinal);
        Assert.Contains("its steps were done", html, StringComparison.Ordinal);
        Assert.Matches("<td>smallest validation loss</td><td>[0-9.]+ at step (15|30)</td>", html);
        Assert.Matches(@"<td>model compute in a step</td><td>[0-9.]+ %; the rest is waiting for data</td>", html);
        Assert.Matches(@"<td>time</td><td>[0-9,]+ s with \d+ threads?: [0-9.]+ % computing \(forward, backward, optimiser\), [0-9.]+ % waiting for data, [0-9.]+ % validation, [0-9.]+ % writing checkpoints and the model</td>", html);
        foreach (string outside in new[] { "http:", "https:", "<script", "<link", "@import" })
            Assert.DoesNotContain(outside, html, StringComparison.Ordinal);
    }

    [Fact]
    public void An_evaluation_adds_scores_answers_and_a_confusion_matrix()
    {
        using (var task = new TinyTask())
            new TrainingLoop(task, Options()).Run(TestContext.Current.CancellationToken);
        float[] mel = [.. Enumerable.Range(0, 50 * 16).Select(i => -80f + i % 50)];
        TrainingReport.OfRun(_folder).Add(new ReportSection("Scores")
            .Table(["task", "accuracy"], [["birds", "50.0 %"]])
            .ConfusionMatrix(["owl", "<b>"], new[,] { { 3, 1 }, { 0, 2 } })
            .Answers([new ReportedAnswer("a.wav", "Which bird?", "owl", "a <script>", false, SpectrogramImage.Png(mel, 50, 16))])).Write(_folder);
        string html = File.ReadAllText(Path.Combine(_folder, "report.html"));
        Assert.Contains("<td class=\"right\" style=\"--share:0.75\" title=\"owl answered as owl: 3 of 4\">3</td>", html, StringComparison.Ordinal);
        Assert.Contains("&lt;b&gt;", html, StringComparison.Ordinal);
        Assert.Contains("a &lt;script&gt;", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
        Assert.Contains("src=\"data:image/png;base64,", html, StringComparison.Ordinal);
        Assert.Contains("<td class=\"number\">50.0 %</td>", html, StringComparison.Ordinal);
    }

    [Fact]
    public void A_curve_goes_through_its_points()
    {
        var svg = XElement.Parse(LineChart.Svg("t", new ChartSeries("a", [(0, 0), (50, 10), (100, 5), (101, double.NaN)])));
        var path = svg.Elements("path").Single(p => (string)p.Attribute("class")! == "curve c0");
        double[][] points = [.. ((string)path.Attribute("d")!)[1..].Split('L').Select(p => p.Split(' ').Select(double.Parse).ToArray())];
        Assert.Equal(3, points.Length);
        Assert.Equal(points[1][0] - points[0][0], points[2][0] - points[1][0], 0.11); // steps are even
        Assert.Equal((points[0][1] - points[1][1]) / 2, points[0][1] - points[2][1], 0.11); // half as high
        Assert.Contains(svg.Elements("text"), t => t.Value == "100");
    }

    [Fact]
    public void A_long_curve_keeps_its_means()
    {
        var svg = XElement.Parse(LineChart.Svg("t", new ChartSeries("a", [.. Enumerable.Range(0, 100_000).Select(i => ((double)i, (double)(i % 2)))])));
        string d = (string)svg.Elements("path").Single(p => (string)p.Attribute("class")! == "curve c0").Attribute("d")!;
        Assert.Equal(400, d.Split('L').Length);
    }

    [Fact]
    public void Columns_of_numbers_stand_to_the_right_together_with_their_heads()
    {
        string html = new ReportSection("s").Table(["name", "n"], [["a", "1"], ["b", ""], ["c", "2.5 %"]]).Html;
        Assert.Contains("<tr><th>name</th><th class=\"number\">n</th></tr>", html, StringComparison.Ordinal);
        Assert.Contains("<tr><td>b</td><td class=\"number\"></td></tr>", html, StringComparison.Ordinal);
    }

    [Fact]
    public void A_page_of_many_sections_begins_with_links_to_them()
    {
        var page = new ReportPage("p");
        for (int i = 0; i < 9; i++)
        {
            Assert.DoesNotContain("<nav>", page.Html(), StringComparison.Ordinal);
            page.Add(new ReportSection($"part {i}"));
        }
        Assert.Contains("<a href=\"#s8\">part 8</a></nav>", page.Html(), StringComparison.Ordinal);
        Assert.Contains("<section id=\"s8\"><h2>part 8</h2>", page.Html(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_a_run_is_refused()
    {
        var e = Assert.Throws<FlamingoException>(() => TrainingReport.OfRun(_folder));
        Assert.StartsWith($"'{_folder}/run.json' cannot be read (", e.Message, StringComparison.Ordinal);
        Assert.EndsWith("): name the output folder of a training run.", e.Message, StringComparison.Ordinal);
    }

    private TrainingRunOptions Options() => new()
    {
        Folder = _folder,
        Optimization = new OptimizationOptions { TotalSteps = 30, LearningRate = 0.02, WarmupSteps = 5 },
        ValidateEvery = 15,
    };
}
