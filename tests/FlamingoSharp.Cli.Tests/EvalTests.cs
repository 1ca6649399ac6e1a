using System.Text.Json;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Cli.Tests;

/// <summary>eval through the real process.</summary>
[Collection(WithTinyModel.Name)]
public sealed class EvalTests(TinyModel model)
{
    [Fact]
    public void A_manifest_is_scored_and_the_report_printed()
    {
        string output = model.NewPath();
        var outcome = model.Run("eval", Manifest("""{"name":"a.wav","prompt":"What is it?","output":"rain"}""", """{"name":"b.wav","prompt":"Is it loud?","output":"yes"}"""), "--out", output);
        Assert.Equal(0, outcome.ExitCode);
        Assert.StartsWith("# Evaluation of tiny on test.json, test\n", outcome.Output, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllText(Path.Combine(output, "report.md")), outcome.Output);
        var again = model.Run("eval", Path.Combine(model.Sounds, "Mine-AQA", "test.json"), "--out", output, "--json");
        using var json = JsonDocument.Parse(again.Output);
        Assert.Equal(4, json.RootElement.GetProperty("generation").GetProperty("max_tokens").GetInt32());
        Assert.Equal(2, json.RootElement.GetProperty("rows").GetArrayLength());
    }

    [Fact]
    public void A_clap_model_says_which_label_an_answer_means()
    {
        string output = model.NewPath(), clap = Path.Combine(ReferenceSet.RepositoryRoot, "models", "clap-mini");
        string manifest = Manifest("""{"name":"a.wav","prompt":"What is it?","output":"rain"}""", """{"name":"b.wav","prompt":"What is it?","output":"dog"}""");
        var outcome = model.Run("eval", manifest, "--out", output, "--clap", clap, "--json");
        Assert.Equal(0, outcome.ExitCode);
        using var json = JsonDocument.Parse(outcome.Output);
        Assert.Matches("^clap-mini \\([0-9a-f]{8}\\)$", json.RootElement.GetProperty("embedder").GetString());
        Assert.InRange(json.RootElement.GetProperty("rows")[0].GetProperty("scores").GetProperty("nearest_label").GetDouble(), 0, 1);
        Assert.Contains("| row | exact | contains | nearest label |", File.ReadAllText(Path.Combine(output, "report.md")), StringComparison.Ordinal);
        Assert.Contains("nearest label</th>", File.ReadAllText(Path.Combine(output, "report.html")), StringComparison.Ordinal);
        var wrong = model.Run("eval", manifest, "--out", output, "--clap", "nowhere");
        Assert.NotEqual(0, wrong.ExitCode);
        Assert.Matches("^error: [^\n]*nowhere[^\n]*\n$", wrong.Error);
    }

    [Fact]
    public void An_unreadable_sound_ends_with_its_own_code_after_the_report()
    {
        string output = model.NewPath();
        var outcome = model.Run("eval", Manifest("""{"name":"a.wav","prompt":"What is it?","output":"rain"}""", """{"name":"text.wav","prompt":"What is it?","output":"rain"}"""), "--out", output);
        Assert.Equal(2, outcome.ExitCode);
        Assert.EndsWith("error: 1 questions could not be answered and are in no score; the report lists them.\n", outcome.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(output, "report.json")));
    }

    [Fact]
    public void Processes_of_mpirun_share_an_evaluation_and_the_last_one_reports()
    {
        Mpirun.Require();
        string sounds = model.NewPath(); // of its own: other tests know what is in the shared folder
        Directory.CreateDirectory(sounds);
        for (int i = 0; i < 6; i++)
            WaveFile.Tone(Path.Combine(sounds, $"shared{i}.wav"), 0.5 + (0.1 * i));
        string manifest = ManifestOf(sounds, [.. Enumerable.Range(0, 6).Select(i => $$"""{"name":"shared{{i}}.wav","prompt":"What is it?","output":"rain"}""")]);
        string alone = model.NewPath(), together = model.NewPath();
        Assert.Equal(0, model.Run("eval", manifest, "--out", alone).ExitCode);
        using (var process = ProcessRunner.Start(model.Sounds, null, ["eval", manifest, "--out", together, "--model", model.Folder, "--max-tokens", "4"], processes: 2))
        {
            var outcome = ProcessRunner.Finish(process, process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            Assert.Equal(0, outcome.ExitCode);
            Assert.Equal(File.ReadAllText(Path.Combine(together, "report.md")), outcome.Output); // printed once
            Assert.DoesNotContain("note:", outcome.Error, StringComparison.Ordinal);
        }
        Assert.Equal(Rows(alone), Rows(together));
        string[] parts = [Path.Combine(together, "answers.1-of-2.jsonl"), Path.Combine(together, "answers.2-of-2.jsonl")];
        Assert.Equal(parts, Directory.GetFiles(together, "answers*.jsonl").Order(StringComparer.Ordinal));
        Assert.All(parts, p => Assert.Equal(1 + 3 + 1, File.ReadAllLines(p).Length)); // what they depend on, answers, the end

        static string Rows(string folder)
        {
            using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "report.json")));
            return json.RootElement.GetProperty("rows").GetRawText();
        }
    }

    [Fact]
    public void Presets_are_listed_with_the_papers_numbers() =>
        Assert.Contains(ProcessRunner.Run("eval", "--list").Lines, l => l.StartsWith("clotho-v2 ", StringComparison.Ordinal) && l.Contains("0.465 Audio Flamingo 1", StringComparison.Ordinal));

    [Theory]
    [InlineData("Name a data set or a manifest. See 'flamingo eval --help'.")]
    [InlineData("Name a folder for the report by --out. See 'flamingo eval --help'.", "set")]
    [InlineData("There is no data set or manifest 'nowhere'; check the path.", "nowhere", "--out", "x")]
    [InlineData("--clap and --text-vectors both say which texts mean the same; give one of them. See 'flamingo eval --help'.", "set", "--out", "x", "--clap", "a", "--text-vectors", "b")]
    [InlineData("--tokenizer is that of a CLAP model; name the model by --clap. See 'flamingo eval --help'.", "set", "--out", "x", "--tokenizer", "a")]
    [InlineData("--baselines is 'best'; expected none, frequent or all.", "nowhere", "--out", "x", "--baselines", "best")]
    [InlineData("The shard is '0/2'; expected I/N with I from 1 to N, e.g. 2/4.", "nowhere", "--out", "x", "--shard", "0/2")]
    public void Wrong_usage_is_said_in_a_sentence(string message, params string[] arguments)
    {
        var outcome = model.Run(["eval", .. arguments]);
        Assert.NotEqual(0, outcome.ExitCode);
        Assert.Equal($"error: {message}\n", outcome.Error);
    }

    private string Manifest(params string[] items) => ManifestOf(model.Sounds, items);

    private static string ManifestOf(string sounds, string[] items)
    {
        string path = Path.Combine(sounds, "Mine-AQA", "test.json");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string data = string.Join(",", items.Select((item, i) => $"\"{i}\":{item}"));
        File.WriteAllText(path,
            $$$"""{"dataset_path":{{{JsonSerializer.Serialize(sounds)}}},"split":"test","split_path":"","flamingo_task":"Mine-AQA","total_num":{{{items.Length}}},"data":{ {{{data}}} } }""");
        return path;
    }
}
