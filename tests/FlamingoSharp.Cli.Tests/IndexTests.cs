using System.Text.Json;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Cli.Tests;

/// <summary>index, search, examples, reranking and explain through the real process.</summary>
[Collection(WithTinyModel.Name)]
public sealed class IndexTests : IDisposable
{
    private readonly TinyModel _model;
    private readonly string _folder = Directory.CreateTempSubdirectory("flamingo-cli-index-").FullName;

    /// <summary>Three classes of four sounds.</summary>
    public IndexTests(TinyModel model)
    {
        _model = model;
        foreach (var (label, number) in new[] { ("bell", 1), ("car_horn", 2), ("dog", 3) })
        {
            for (int i = 0; i < 4; i++)
                SmallWaves.Write(Path.Combine(_folder, "sounds", label, $"{i}.wav"), (100 * number) + i, number);
        }
        SmallWaves.Write(Path.Combine(_folder, "new.wav"), 999, 2);
    }

    private string Database => Path.Combine(_folder, "index.db");

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ProcessOutcome Run(params string[] arguments) => RunOn(_model.Folder, arguments);

    private ProcessOutcome RunOn(string model, params string[] arguments) => ProcessRunner.RunIn(_folder, null, null, [.. arguments, "--model", model, "--encoder", model]);

    // Four sounds a prompt; the tiny model of the other tests has positions for one.
    private static TestKit.TinyModel ModelOfFourSounds()
    {
        NativeRuntimeStart.Load(); // the other tests of this project leave torch to the process they start
        return new(TestKit.TinyModel.Config with
        {
            Windows = TestKit.TinyModel.Config.Windows with { Slots = 1 },
            AudioTransformer = TestKit.TinyModel.Config.AudioTransformer with { MaxVectors = 16 },
        });
    }

    private ProcessOutcome Bare(params string[] arguments) => ProcessRunner.RunIn(_folder, null, null, arguments);

    [Fact]
    public void An_index_is_built_completed_asked_measured_and_thinned_out()
    {
        var built = Run("index", "build", "sounds", "--out", "index.db");
        Assert.Equal((0, "index.db: 12 added, 0 known already, 0 unusable; 12 sounds in all\n"), (built.ExitCode, built.Output));
        File.WriteAllText(Path.Combine(_folder, "sounds", "dog", "text.wav"), "hello, no sound here\n");
        var again = Run("index", "build", "sounds", "--out", "index.db", "--json");
        Assert.Equal(2, again.ExitCode);
        var line = JsonDocument.Parse(again.Output).RootElement;
        Assert.Equal((0, 12, 1, 12), (line.GetProperty("added").GetInt32(), line.GetProperty("known").GetInt32(), line.GetProperty("failed").GetArrayLength(), line.GetProperty("sounds").GetInt32()));
        Assert.Contains("error: 'sounds/dog/text.wav' holds text", again.Error, StringComparison.Ordinal);

        var found = Run("index", "query", "index.db", "new.wav", "--top", "3", "--json");
        Assert.Equal(0, found.ExitCode);
        var matches = found.Lines.Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Equal([1, 2, 3], matches.Select(m => m.GetProperty("rank").GetInt32()));
        Assert.Equal(matches.OrderByDescending(m => m.GetProperty("similarity").GetDouble()), matches);
        Assert.All(matches, m => Assert.Equal(64, m.GetProperty("hash").GetString()!.Length));
        Assert.Matches(@"^-?\d\.\d{4}  sounds/[a-z_]+/\d\.wav  [a-z ]+$", Run("index", "query", "index.db", "new.wav").Lines[0]);
        Assert.DoesNotContain("sounds/dog/1.wav", Run("index", "query", "index.db", "sounds/dog/1.wav", "--top", "20").Output, StringComparison.Ordinal);
        Assert.Contains("sounds/dog/1.wav", Run("index", "query", "index.db", "sounds/dog/1.wav", "--duplicates").Lines[0], StringComparison.Ordinal);

        var added = Run("index", "add", "index.db", "new.wav", "--labels", "car horn,street");
        Assert.Equal("index.db: 1 added, 0 known already, 0 unusable; 13 sounds in all\n", added.Output);
        var stats = JsonDocument.Parse(Bare("index", "stats", "index.db", "--json").Output).RootElement;
        Assert.Equal((13, "tiny", 5), (stats.GetProperty("sounds").GetInt32(), stats.GetProperty("encoder").GetString(), stats.GetProperty("labels").GetProperty("car horn").GetInt32()));
        var measured = JsonDocument.Parse(Bare("index", "eval", "index.db", "--k", "1", "--k", "12", "--json").Output).RootElement;
        Assert.Equal((13, 1.0), (measured.GetProperty("queries").GetInt32(), measured.GetProperty("recall_at").GetProperty("12").GetDouble()));
        Assert.Contains("mAP", Bare("index", "eval", "index.db").Output, StringComparison.Ordinal);

        Assert.Equal("index.db: 4 removed; 9 sounds left\n", Bare("index", "remove", "index.db", "--label", "dog").Output);
        File.Delete(Path.Combine(_folder, "new.wav"));
        Assert.Equal("index.db: 2 removed; 7 sounds left\n", Bare("index", "remove", "index.db", "sounds/bell/0.wav", "--missing").Output);
        Assert.Equal([Database], Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_data_set_and_its_manifests_are_sources_too()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "set", "Mine-EventClassification"));
        File.WriteAllText(Path.Combine(_folder, "set", "set.json"), "{}");
        File.WriteAllText(Path.Combine(_folder, "set", "Mine-EventClassification", "train.json"), """
            {"dataset_path": "../sounds", "split": "train", "split_path": "", "flamingo_task": "Mine-EventClassification", "total_num": 3, "data": {
              "0": {"name": "bell/0.wav", "prompt": "this is a sound of", "output": "bell"},
              "1": {"name": "bell/0.wav", "prompt": "this is a sound of", "output": "metal"},
              "2": {"name": "dog/1.wav", "prompt": "this is a sound of", "output": "dog", "audio_start": 0.05}}}
            """);
        Assert.Equal("index.db: 2 added, 0 known already, 0 unusable; 2 sounds in all\n", Run("index", "build", "set", "--split", "train", "--out", "index.db").Output);
        Assert.Equal(["bell", "dog", "metal"], JsonDocument.Parse(Bare("index", "stats", "index.db", "--json").Output).RootElement.GetProperty("labels").EnumerateObject().Select(l => l.Name));
        var none = Run("index", "build", "set", "--split", "val", "--out", "other.db");
        Assert.Equal((2, "error: The data set 'set' has no manifest of the split 'val'.\n"), (none.ExitCode, none.Error));
        Assert.False(File.Exists(Path.Combine(_folder, "other.db")));
    }

    [Fact]
    public void Examples_are_shown_before_the_question_and_neighbours_vote()
    {
        using var four = ModelOfFourSounds();
        ProcessOutcome Run(params string[] arguments) => RunOn(four.Folder, arguments);
        Run("index", "build", "sounds", "--out", "index.db");
        var asked = Run("ask", "new.wav", "What is it?", "--shots", "3", "--index", "index.db", "--max-tokens", "4", "--json", "--show-prompt");
        Assert.Equal(0, asked.ExitCode);
        var line = JsonDocument.Parse(asked.Output).RootElement;
        string[] answers = [.. line.GetProperty("shots").EnumerateArray().Select(s => s.GetProperty("answer").GetString()!)];
        Assert.Equal(3, answers.Length);
        const string Asked = "<audio>please answer this question: what is it?\nanswer:<SEP>";
        Assert.Equal(
            "</s></s>Here are similar examples. The task is audio question answering. " + string.Concat(answers.Select(a => $"{Asked}{a}<|endofchunk|>")) + Asked,
            line.GetProperty("prompt").GetString());
        double[] similarities = [.. line.GetProperty("shots").EnumerateArray().Select(s => s.GetProperty("similarity").GetDouble())];
        Assert.Equal(similarities.Order(), similarities);

        var sorted = Run("classify", "new.wav", "--shots", "3", "--index", "index.db", "--max-tokens", "4", "--json");
        Assert.Equal(0, sorted.ExitCode);
        Assert.Equal(3, JsonDocument.Parse(sorted.Output).RootElement.GetProperty("vote").EnumerateArray().Sum(v => v.GetProperty("votes").GetInt32()));
        Assert.Contains("note: 'new.wav': the 3 votes of the nearest sounds alone: ", Run("classify", "new.wav", "--shots", "3", "--index", "index.db", "--max-tokens", "4").Error, StringComparison.Ordinal);

        var random = Run("ask", "new.wav", "What is it?", "--shots", "2", "--index", "index.db", "--random-shots", "--max-tokens", "4", "--show-prompt");
        Assert.Contains("Here are random examples.", random.Error, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder, "picked.txt"), "sounds/dog/1.wav\ta dog\nsounds/bell/2.wav\ta bell\n");
        var picked = Run("ask", "new.wav", "What is it?", "--shots-from", "picked.txt", "--max-tokens", "4", "--show-prompt");
        Assert.Contains("<SEP>a dog<|endofchunk|><audio>", picked.Error, StringComparison.Ordinal);
        Assert.Contains("<SEP>a bell<|endofchunk|><audio>", picked.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_without_room_for_the_examples_says_so()
    {
        Run("index", "build", "sounds", "--out", "index.db");
        var outcome = Run("ask", "new.wav", "What?", "--shots", "8", "--index", "index.db", "--max-tokens", "2");
        Assert.Equal(1, outcome.ExitCode);
        Assert.Matches(@"^error: The prompt holds \d+ audio windows but this model has positions for 32\. Use fewer sounds or shots\.\n$", outcome.Error);
    }

    [Fact]
    public void Explain_writes_a_page_of_its_own_with_the_answer_of_ask()
    {
        using var four = ModelOfFourSounds();
        ProcessOutcome Run(params string[] arguments) => RunOn(four.Folder, arguments);
        Run("index", "build", "sounds", "--out", "index.db");
        string answer = Run("ask", "new.wav", "What </script> is it?", "--shots", "1", "--index", "index.db", "--max-tokens", "4").Output;
        var explained = Run("explain", "new.wav", "What </script> is it?", "--shots", "1", "--index", "index.db", "--max-tokens", "4", "--out", "why.html");
        Assert.Equal((0, answer, "note: 'why.html' shows why.\n"), (explained.ExitCode, explained.Output, explained.Error));
        string page = File.ReadAllText(Path.Combine(_folder, "why.html"));
        Assert.DoesNotContain("{{", page.Replace("${{", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotMatch("(src|href)=\"(?!data:)", page);
        Assert.Contains("What &lt;/script&gt; is it?", page, StringComparison.Ordinal);
        Assert.Equal(2, page.Split("data:audio/wav;base64,").Length - 1);
        int from = page.IndexOf("id=\"data\">", StringComparison.Ordinal) + 10;
        var data = JsonDocument.Parse(page[from..page.IndexOf("</script>", from, StringComparison.Ordinal)]).RootElement;
        Assert.Equal(2, data.GetProperty("sounds").GetArrayLength());
        Assert.Equal(4, data.GetProperty("tokens").GetArrayLength());
    }

    [Fact]
    public void What_examples_are_worth_is_measured_and_written_down()
    {
        using var four = ModelOfFourSounds();
        RunOn(four.Folder, "index", "build", "sounds", "--out", "index.db");
        var measured = RunOn(four.Folder, "index", "few-shot", "index.db", "--shots", "0,2", "--group-by", @"sounds/\w+/[01]", "--limit", "6", "--out", "worth.md", "--json");
        Assert.Equal((0, ""), (measured.ExitCode, measured.Error));
        var report = JsonDocument.Parse(measured.Output).RootElement;
        Assert.Equal((6, 0), (report.GetProperty("queries").GetInt32(), report.GetProperty("left_out").GetInt32()));
        Assert.Equal(["bell", "car horn", "dog"], report.GetProperty("labels").EnumerateArray().Select(l => l.GetString()));
        Assert.Equal(["0 none", "2 similar", "2 random"], report.GetProperty("rows").EnumerateArray().Select(r => $"{r.GetProperty("shots")} {r.GetProperty("chosen").GetString()}"));
        Assert.Equal([2], report.GetProperty("votes").EnumerateArray().Select(v => v.GetProperty("neighbours").GetInt32()));
        Assert.EndsWith("please answer this question: what sound is this?\nanswer:<SEP>", report.GetProperty("prompt").GetString(), StringComparison.Ordinal);
        string page = File.ReadAllText(Path.Combine(_folder, "worth.md"));
        Assert.Contains("\n| 2 similar examples ", page, StringComparison.Ordinal);

        File.WriteAllText(Path.Combine(_folder, "groups.json"), """{"sounds/bell/0.wav": "a", "sounds/bell/1.wav": "a", "sounds/bell/2.wav": "a", "sounds/bell/3.wav": "a"}""");
        var grouped = RunOn(four.Folder, "index", "few-shot", "index.db", "--shots", "0", "--groups", "groups.json", "--wording", "plain");
        Assert.Equal((0, "note: 4 sounds were not asked about: no other sound of the index has their label.\n"), (grouped.ExitCode, grouped.Error));
        Assert.StartsWith("tiny-test on 8 sounds of 3 labels", grouped.Output, StringComparison.Ordinal);
        Assert.Contains("task is audio question answering. <audio>what sound is this?\\nanswer:<SEP>`", grouped.Output, StringComparison.Ordinal);
        var alone = Bare("index", "eval", "index.db", "--group-by", @"sounds/\w+", "--json"); // a class is one group
        Assert.Equal(0, JsonDocument.Parse(alone.Output).RootElement.GetProperty("queries").GetInt32());
    }

    [Fact]
    public void The_clap_model_in_the_box_finds_sounds_by_text_and_judges_answers()
    {
        string samples = Path.Combine(ReferenceSet.RepositoryRoot, "samples");
        foreach (string name in new[] { "rain", "guitar-em9", "explosion" })
            File.Copy(Path.Combine(samples, name + ".wav"), Path.Combine(_folder, name + ".wav"));
        string mini = Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini");
        Assert.Equal(0, Bare("index", "build", "rain.wav", "guitar-em9.wav", "explosion.wav", "--out", "index.db").ExitCode);
        var found = Bare("search", "rain", "--index", "index.db", "--json");
        Assert.Equal("rain.wav", JsonDocument.Parse(found.Lines[0]).RootElement.GetProperty("file").GetString());

        string[] ask = ["ask", "rain.wav", "What can be heard?", "--model", mini, "--rerank", "--candidates", "5", "--seed", "1", "--json"];
        var judged = JsonDocument.Parse(Bare(ask).Output).RootElement;
        var ranked = judged.GetProperty("ranked").EnumerateArray().Select(r => (Text: r.GetProperty("text").GetString(), Similarity: r.GetProperty("similarity").GetDouble())).ToList();
        Assert.InRange(ranked.Count, 1, 5);
        Assert.Equal(ranked.MaxBy(r => r.Similarity).Text, judged.GetProperty("text").GetString());
        var unsure = JsonDocument.Parse(Bare([.. ask, "--threshold", "0.999"]).Output).RootElement;
        Assert.Equal("not sure", unsure.GetProperty("text").GetString());
        Assert.Equal(ranked[0].Similarity, unsure.GetProperty("ranked")[0].GetProperty("similarity").GetDouble());
    }

    [Theory]
    [InlineData(1, "error: --shots needs examples: give --index INDEX or --shots-from PATH. See 'flamingo ask --help'.", "ask", "new.wav", "What?", "--shots", "2")]
    [InlineData(1, "error: --index needs --shots N, 1 to 8. See 'flamingo ask --help'.", "ask", "new.wav", "What?", "--index", "index.db")]
    [InlineData(1, "error: 9 examples were asked for, but a prompt takes 0 to 8.", "ask", "new.wav", "What?", "--index", "index.db", "--shots", "9")]
    [InlineData(2, "error: There is no index 'index.db'. 'flamingo index build DIR --out index.db' makes one.", "ask", "new.wav", "What?", "--index", "index.db", "--shots", "2")]
    [InlineData(2, "error: There is no index 'index.db'. 'flamingo index build DIR --out index.db' makes one.", "search", "dog", "--index", "index.db")]
    [InlineData(2, "error: 'nowhere/' does not exist; check the path.", "index", "build", "nowhere/", "--out", "index.db")]
    [InlineData(1, "error: --threshold has no effect without --rerank; add it, or leave --threshold out. See 'flamingo ask --help'.", "ask", "new.wav", "What?", "--threshold", "0.3")]
    [InlineData(3, "error: --rerank needs an encoder that reads texts too, but tiny hears sounds only. Name a CLAP model by --encoder.", "ask", "new.wav", "What?", "--rerank")]
    [InlineData(1, "error: Say which sounds: name files, or give --label or --missing. See 'flamingo index remove --help'.", "index", "remove", "index.db")]
    [InlineData(1, "error: --shots is '1;2'; expected numbers with commas between, such as 0,1,4,8.", "index", "few-shot", "index.db", "--shots", "1;2")]
    [InlineData(1, "error: --group-by is not a regular expression: Invalid pattern '(' at offset 1. Not enough )'s.", "index", "few-shot", "index.db", "--group-by", "(")]
    [InlineData(2, "error: The file of groups 'g.json' does not exist; check the path.", "index", "few-shot", "index.db", "--groups", "g.json")]
    public void What_cannot_be_done_is_said_in_a_sentence(int code, string message, params string[] arguments)
    {
        var outcome = arguments is ["index", "remove", ..] ? Bare(arguments) : Run(arguments);
        Assert.Equal((code, message + "\n"), (outcome.ExitCode, outcome.Error));
        Assert.False(File.Exists(Database));
    }

    [Fact]
    public void Texts_find_nothing_where_the_encoder_hears_sounds_only_and_another_encoder_is_refused()
    {
        Run("index", "build", "sounds", "--out", "index.db");
        var deaf = Run("search", "a dog", "--index", "index.db");
        Assert.Equal((3, "error: The encoder tiny hears sounds only; texts need one with a text side, such as a CLAP model.\n"), (deaf.ExitCode, deaf.Error));
        using var other = ModelOfFourSounds();
        var refused = ProcessRunner.RunIn(_folder, null, null, "index", "query", "index.db", "new.wav", "--encoder", other.Folder);
        Assert.Equal(3, refused.ExitCode);
        Assert.Matches(@"^error: The index 'index\.db' was made by the encoder tiny \(64 dimensions, weights [0-9a-f]{8}\), but this one is tiny-test \(32 dimensions, weights [0-9a-f]{8}\)\. Use the model", refused.Error);
    }
}
