using System.Text.Json;

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
        Assert.Equal(4, json.RootElement.GetProperty("generation").GetProperty("max_new_tokens").GetInt32());
        Assert.Equal(2, json.RootElement.GetProperty("rows").GetArrayLength());
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
    public void Presets_are_listed_with_the_papers_numbers() =>
        Assert.Contains(ProcessRunner.Run("eval", "--list").Lines, l => l.StartsWith("clotho-v2 ", StringComparison.Ordinal) && l.Contains("0.465 Audio Flamingo 1", StringComparison.Ordinal));

    [Theory]
    [InlineData("Name a data set or a manifest. See 'flamingo eval --help'.")]
    [InlineData("Name a folder for the report by --out. See 'flamingo eval --help'.", "set")]
    [InlineData("There is no data set or manifest 'nowhere'; check the path.", "nowhere", "--out", "x")]
    [InlineData("--baselines is 'best'; expected none, frequent or all.", "nowhere", "--out", "x", "--baselines", "best")]
    [InlineData("The shard is '0/2'; expected I/N with I from 1 to N, e.g. 2/4.", "nowhere", "--out", "x", "--shard", "0/2")]
    public void Wrong_usage_is_said_in_a_sentence(string message, params string[] arguments)
    {
        var outcome = model.Run(["eval", .. arguments]);
        Assert.NotEqual(0, outcome.ExitCode);
        Assert.Equal($"error: {message}\n", outcome.Error);
    }

    private string Manifest(params string[] items)
    {
        string path = Path.Combine(model.Sounds, "Mine-AQA", "test.json");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string data = string.Join(",", items.Select((item, i) => $"\"{i}\":{item}"));
        File.WriteAllText(path,
            $$$"""{"dataset_path":{{{JsonSerializer.Serialize(model.Sounds)}}},"split":"test","split_path":"","flamingo_task":"Mine-AQA","total_num":{{{items.Length}}},"data":{ {{{data}}} } }""");
        return path;
    }
}
