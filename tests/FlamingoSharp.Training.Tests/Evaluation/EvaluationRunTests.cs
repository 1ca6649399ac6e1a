using System.Text;
using System.Text.Json;
using FlamingoSharp.TestKit;
using FlamingoSharp.Training.Evaluation;
using FlamingoSharp.Training.Tests.Sounds;

namespace FlamingoSharp.Training.Tests.Evaluation;

/// <summary>Whole evaluations of a tiny model, whose answers mean nothing but are always the same.</summary>
public sealed class EvaluationRunTests : IDisposable, IClassFixture<EvaluationRunTests.SharedModel>
{
    private readonly EvaluationFolder _folder = new();
    private readonly TinyModel _model;

    public EvaluationRunTests(SharedModel model)
    {
        _model = model.Tiny;
        for (int i = 0; i < 4; i++)
            _folder.Tone($"low{i}", 150 + (5 * i)).Tone($"high{i}", 2500 + (60 * i));
        string[] Things(params int[] which) => [.. which.SelectMany(i => new[] { "low", "high" }.SelectMany(p => new[]
        {
            $$"""{"name":"{{p}}{{i}}","prompt":"question: What is it?","output":"{{p}}","type":"pitch","choices":["low","high"],"labels":["{{p}}","speaker:s{{i}}"]}""",
            $$"""{"name":"{{p}}{{i}}","prompt":"question: Is it {{p}}?","output":"{{(p == "low" ? "yes" : "no")}}","type":"presence"}""",
        }))];
        _folder.Manifest("Tones-AQA", "train", Things(0, 1));
        _folder.Manifest("Tones-AQA", "test", Things(1, 2, 3));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_report_carries_what_is_needed_to_repeat_it_and_the_baselines()
    {
        var report = Run()!;
        var pitch = report.Rows.Single(r => r.Name == "Tones-AQA: pitch");
        Assert.Equal(6, pitch.Items);
        // Each test tone's nearest training tone has its pitch; both answers are equally frequent in training.
        Assert.Equal(1, pitch.Baselines["nearest_neighbour"]["exact"]);
        Assert.Equal(0.5, pitch.Baselines["most_frequent_answer"]["exact"]);
        Assert.Equal(0.5, report.Rows.Single(r => r.Name == "Tones-AQA: presence").Baselines["most_frequent_answer"]["balanced_accuracy"]);
        // s1 speaks in training; the items of s2 and s3 are scored apart.
        Assert.Equal(4, pitch.UnseenSpeakers!.Items);

        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder.Out, "report.json")));
        var root = json.RootElement;
        Assert.Equal("flamingo-eval/1", root.GetProperty("format").GetString());
        string weights = Path.Combine(_model.Folder, "model.safetensors");
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(weights))), root.GetProperty("model").GetProperty("sha256").GetString());
        Assert.Equal(6, root.GetProperty("generation").GetProperty("max_tokens").GetInt32());
        Assert.Equal(report.Rows[0].Scores["unparsed"], root.GetProperty("rows")[0].GetProperty("scores").GetProperty("unparsed").GetDouble());
        Assert.Contains("what is it?\noptions:\nlow.\nhigh.", root.GetProperty("rows")[0].GetProperty("prompt").GetString(), StringComparison.Ordinal);
        Assert.Equal("not computed: needs the original scene-graph parser", root.GetProperty("not_computed").GetProperty("SPICE").GetString());

        string page = File.ReadAllText(Path.Combine(_folder.Out, "report.md"));
        Assert.Contains("| Tones-AQA: pitch | 6 | exact |", page, StringComparison.Ordinal);
        Assert.Contains("| Tones-AQA: pitch, speakers unseen in training | 4 | exact |", page, StringComparison.Ordinal);
        Assert.Contains(root.GetProperty("model").GetProperty("sha256").GetString()!, page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_page_shows_the_same_in_one_file_with_pictures_of_the_sounds()
    {
        Run();
        string html = File.ReadAllText(Path.Combine(_folder.Out, "report.html"));
        Assert.Contains("<h1>Evaluation of tiny-test on ", html, StringComparison.Ordinal);
        Assert.Contains("<th>row</th><th class=\"number\">n</th><th>measure</th><th class=\"number\">value</th><th class=\"number\">most frequent answer</th><th class=\"number\">nearest neighbour</th>", html, StringComparison.Ordinal);
        Assert.Contains("<th class=\"number\">exact</th><th class=\"number\">contains</th><th>nearest label</th>", html, StringComparison.Ordinal);
        Assert.Matches("<h3>(low|high)[123].wav</h3>\n<img alt=\"Spectrogram of (low|high)[123].wav\" src=\"data:image/png;base64,iVBOR", html);
        foreach (string outside in new[] { "http:", "https:", "<script", "<link", "@import" })
            Assert.DoesNotContain(outside, html, StringComparison.Ordinal);
    }

    [Fact]
    public void Dialogues_go_on_from_the_models_answers_and_from_where_a_run_was_stopped()
    {
        string[] things = [.. Enumerable.Range(1, 3).Select(i => $$"""{"name":"low{{i}}","prompt":"What sound is this?","output":"{{new[] { "dog", "bell", "rain" }[i - 1]}}","type":"sound_class","labels":["{{new[] { "dog", "bell", "rain" }[i - 1]}}"]}""")];
        string manifest = _folder.Manifest("Things-AQA", "test", things);
        EvaluationOptions Talking(EvaluationOptions o) => o with { Data = manifest, Dialogues = true, Free = false };
        var row = Run(o => Talking(o) with { Batch = 1 })!.Rows.Single(r => r.Name == "Things-AQA: sound_class, in dialogues");
        Assert.Equal((3, "consistent", AnswerKind.Consistency), (row.Items, row.Headline, row.Kind));
        Assert.Contains("user: What sound is this?", row.Prompt, StringComparison.Ordinal);
        Assert.Empty(row.Baselines);
        var all = Answers();
        string[] first = ["Things-AQA/test#0/dialogue", "Things-AQA/test#1/dialogue", "Things-AQA/test#2/dialogue"];
        Assert.All(first, f => Assert.Contains(f, all.Keys));
        Assert.Equal(3 + 3 + (5 * first.Count(f => all[f].Any(char.IsLetter))), all.Count);
        Assert.Contains(first, f => all.ContainsKey($"{f}/own"));

        string journal = Path.Combine(_folder.Out, "answers.jsonl");
        File.WriteAllLines(journal, File.ReadLines(journal).Where(l => !l.Contains("/own", StringComparison.Ordinal) && !l.Contains("/again", StringComparison.Ordinal)));
        var done = new List<EvaluationProgress>();
        var again = new EvaluationRun(Options(o => Talking(o) with { Batch = 7 }), done.Add).Run(default)!.Rows.Single(r => r.Name == row.Name);
        Assert.True(done.First(p => p.Stage == "Answering").Done < 6); // a dialogue without its end is not done
        Assert.Equal(row.Scores, again.Scores);
        Assert.Equal(all, Answers());
    }

    [Fact]
    public void A_model_without_dialogues_is_refused()
    {
        using var model = new TinyModel(TinyModel.Config2);
        Assert.Equal($"'{_folder.Root}' has no questions of the types sound_class, instrument, language, after which dialogues go on; leave --dialogues out.",
            Assert.Throws<FlamingoException>(() => Run(o => o with { Dialogues = true })).Message);
        _folder.Manifest("Things-AQA", "test", """{"name":"low1","prompt":"What sound is this?","output":"dog","type":"sound_class"}""");
        var error = Assert.Throws<FlamingoException>(() => Run(o => o with { ModelFolder = model.Folder, Dialogues = true }));
        Assert.Equal("tiny-test-2 has no form for dialogues: Audio Flamingo 2 answers single questions. Leave --dialogues out.", error.Message);
    }

    [Fact]
    public void Batches_answer_as_single_questions_do()
    {
        Run(o => o with { Batch = 1 });
        var single = Answers();
        Run(o => o with { Batch = 7, Restart = true });
        Assert.Equal(18, single.Count); // 6 choices, each also without, and 6 presence questions
        Assert.Equal(single, Answers());
        Assert.True(single.Values.Distinct().Count() > 1);
        // As the library answers one question alone.
        using var flamingo = Flamingo.Load(_model.Folder);
        using var sound = flamingo.Hear(Path.Combine(_folder.Root, "low1.wav"));
        var alone = flamingo.Ask(FlamingoSharp.Text.TaskPrompts.Question("What is it?"), sound, flamingo.Config.Generation with { MaxNewTokens = 6 });
        Assert.Equal(alone.Text, single["Tones-AQA/test#0/free"]);
    }

    [Fact]
    public void A_stopped_evaluation_goes_on_without_asking_again()
    {
        using var stop = new CancellationTokenSource();
        var run = new EvaluationRun(Options(o => o with { Batch = 4 }), p =>
        {
            if (p.Done >= 8)
                stop.Cancel();
        });
        Assert.ThrowsAny<OperationCanceledException>(() => run.Run(stop.Token));
        string journal = Path.Combine(_folder.Out, "answers.jsonl");
        Assert.Equal(1 + 8, File.ReadAllLines(journal).Length);
        Assert.False(File.Exists(Path.Combine(_folder.Out, "report.json")));
        File.AppendAllText(journal, "{\"key\":\"half a li"); // as a kill in the middle of a line leaves it
        var done = new List<EvaluationProgress>();
        var report = new EvaluationRun(Options(), done.Add).Run(default)!;
        Assert.Equal(8, done.First(p => p.Stage == "Answering").Done);
        Assert.Equal(1 + 18, File.ReadAllLines(journal).Length);

        var whole = Run(o => o with { Restart = true })!;
        Assert.Equal(JsonSerializer.Serialize(whole.Rows, EvaluationJson.Lines.EvaluationReport.Options), JsonSerializer.Serialize(report.Rows, EvaluationJson.Lines.EvaluationReport.Options));
    }

    [Fact]
    public void Processes_that_share_the_work_make_the_report_of_one()
    {
        Assert.Null(Run(o => o with { Shard = Shard.Parse("1/3") }));
        Assert.Null(Run(o => o with { Shard = Shard.Parse("3/3") }));
        var shared = Run(o => o with { Shard = Shard.Parse("2/3") })!;
        Assert.Equal(["answers.1-of-3.jsonl", "answers.2-of-3.jsonl", "answers.3-of-3.jsonl"],
            Directory.GetFiles(_folder.Out, "answers*.jsonl").Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(18, Answers().Count); // each question once
        var whole = Run(o => o with { Restart = true })!;
        Assert.Equal(JsonSerializer.Serialize(whole.Rows, EvaluationJson.Lines.EvaluationReport.Options), JsonSerializer.Serialize(shared.Rows, EvaluationJson.Lines.EvaluationReport.Options));
        Assert.Equal("The shard is '4/3'; expected I/N with I from 1 to N, e.g. 2/4.", Assert.Throws<FlamingoException>(() => Shard.Parse("4/3")).Message);
    }

    [Fact]
    public async Task Of_processes_that_finish_at_once_one_writes_the_report()
    {
        for (int round = 0; round < 3; round++)
        {
            using var together = new Barrier(2);
            var runs = Enumerable.Range(0, 2).Select(i => Task.Run(() => Run(o => o with
            {
                Shard = new(i, 2),
                Batch = 3,
                Restart = true, // nothing of the round before is taken
                Baselines = BaselineChoice.None,
                Meet = () => together.SignalAndWait(),
            })));
            Assert.Equal(6, Assert.Single((await Task.WhenAll(runs)).OfType<EvaluationReport>()).Rows[0].Items);
            Assert.Equal(18, Answers().Count);
        }
    }

    [Fact]
    public void A_part_takes_no_answer_that_another_is_still_writing_and_does_not_wait_for_what_cannot_be_answered()
    {
        File.WriteAllText(Path.Combine(_folder.Root, "low2.wav"), "no sound");
        Assert.Null(Run(o => o with { Shard = Shard.Parse("1/2") }));
        string first = Path.Combine(_folder.Out, "answers.1-of-2.jsonl");
        byte[] whole = File.ReadAllBytes(first);
        int end = whole.AsSpan(0, whole.Length - 1).LastIndexOf((byte)'\n') + 1;
        Assert.Equal("{\"finished\":true}\n", Encoding.UTF8.GetString(whole[end..]));
        File.WriteAllBytes(first, whole[..(end - 9)]); // as if it were in the middle of its last answer
        Assert.Null(Run(o => o with { Shard = Shard.Parse("2/2") }));
        Assert.Equal(whole[..(end - 9)], File.ReadAllBytes(first)); // nobody else cuts it
        var report = Run(o => o with { Shard = Shard.Parse("1/2") })!;
        Assert.Equal(["Tones-AQA/test#4", "Tones-AQA/test#4/free", "Tones-AQA/test#5"], report.Unanswered.Select(u => u.Id).Order(StringComparer.Ordinal));
        Assert.Equal(whole.Length, new FileInfo(first).Length);

        SoundFolder.WriteTone(Path.Combine(_folder.Root, "low2.wav"), 0.6, 200); // it can be read now, by whichever part
        Assert.Empty((Run(o => o with { Shard = Shard.Parse("1/2") }) ?? Run(o => o with { Shard = Shard.Parse("2/2") }))!.Unanswered);
    }

    [Fact]
    public void Answers_of_other_work_are_refused()
    {
        Run(o => o with { Baselines = BaselineChoice.None });
        var error = Assert.Throws<FlamingoException>(() => Run(o => o with { Generation = o.Generation! with { NumBeams = 2 } }));
        Assert.Equal($"'{Path.Combine(_folder.Out, "answers.jsonl")}' was begun by another run: different are how answers are generated. Name another folder by --out, or add --restart to begin anew.", error.Message);
        File.WriteAllText(Path.Combine(_folder.Out, "answers.jsonl"), "hello\n");
        Assert.Equal($"'{Path.Combine(_folder.Out, "answers.jsonl")}' is no journal of answers; name another folder by --out, or add --restart to begin anew.",
            Assert.Throws<FlamingoException>(() => Run()).Message);
    }

    [Fact]
    public void A_sound_that_cannot_be_read_is_left_out_and_said()
    {
        File.WriteAllText(Path.Combine(_folder.Root, "low2.wav"), "no sound");
        var report = Run(o => o with { Batch = 5 })!;
        Assert.Equal(["Tones-AQA/test#4", "Tones-AQA/test#4/free", "Tones-AQA/test#5"], report.Unanswered.Select(u => u.Id).Order(StringComparer.Ordinal));
        Assert.All(report.Unanswered, u => Assert.Contains("low2.wav", u.Reason, StringComparison.Ordinal));
        Assert.Equal(5, report.Rows.Single(r => r.Name == "Tones-AQA: pitch").Items);
        Assert.Contains("## Not answered", File.ReadAllText(Path.Combine(_folder.Out, "report.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_limit_spreads_over_a_row_and_can_be_raised_later()
    {
        Assert.Equal([2, 2, 2], Run(o => o with { Limit = 2 })!.Rows.Select(r => r.Items));
        Assert.Equal(6, Answers().Count);
        Assert.Equal([6, 6, 6], Run()!.Rows.Select(r => r.Items));
        Assert.Equal(18, Answers().Count);
    }

    [Fact]
    public void Statistics_are_means_and_deviations_of_decibels()
    {
        string file = Path.Combine(_folder.Root, "statistics.jsonl");
        using (var statistics = new SoundStatistics(file))
        {
            // Silence: every band at the floor of -100 dB, nothing changes.
            float[] silent = statistics.Of(new double[5000]);
            Assert.Equal(192, silent.Length);
            Assert.All(silent.Take(64), v => Assert.Equal(-100, v, 3));
            Assert.All(silent.Skip(64), v => Assert.Equal(0, v, 3));
            // A tone that begins after silence deviates in its band.
            double[] late = [.. Enumerable.Range(0, 32000).Select(i => i < 16000 ? 0 : Math.Sin(2 * Math.PI * 1000 * i / 32000))];
            float[] half = statistics.Of(late);
            int loudest = Array.IndexOf(half, half[..64].Max());
            Assert.True(half[64 + loudest] > 40, $"{half[64 + loudest]}");
            HeardPart[] parts = [new(Path.Combine(_folder.Root, "low0.wav"), 0, null), new(Path.Combine(_folder.Root, "none.wav"), 0, null)];
            Assert.Equal([parts[0]], statistics.Of(parts, null, default).Keys);
        }
        int done = 0;
        using var again = new SoundStatistics(file);
        again.Of([new(Path.Combine(_folder.Root, "low0.wav"), 0, null)], (_, _) => done++, default);
        Assert.Equal(0, done); // known from the file
    }

    /// <summary>Made once for all tests.</summary>
    public sealed class SharedModel : IDisposable
    {
        /// <summary>The model.</summary>
        public TinyModel Tiny { get; } = new();

        /// <inheritdoc/>
        public void Dispose() => Tiny.Dispose();
    }

    private EvaluationReport? Run(Func<EvaluationOptions, EvaluationOptions>? change = null) => new EvaluationRun(Options(change)).Run(default);

    private EvaluationOptions Options(Func<EvaluationOptions, EvaluationOptions>? change = null)
    {
        var options = new EvaluationOptions
        {
            Data = _folder.Root,
            ModelFolder = _model.Folder,
            OutputFolder = _folder.Out,
            Generation = TinyModel.Config.Generation with { MaxNewTokens = 6 },
        };
        return change?.Invoke(options) ?? options;
    }

    private Dictionary<string, string> Answers() => Directory.GetFiles(_folder.Out, "answers*.jsonl").SelectMany(f => File.ReadLines(f).Skip(1))
        .Select(l => JsonDocument.Parse(l).RootElement).Where(l => l.TryGetProperty("id", out _)).ToDictionary(l => l.GetProperty("id").GetString()!, l => l.GetProperty("answer").GetString()!);
}
