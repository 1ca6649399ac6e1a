using System.Text.Json;
using FlamingoSharp.Text;

namespace FlamingoSharp.Cli.Tests;

/// <summary>caption, ask and classify through the real process.</summary>
[Collection(WithTinyModel.Name)]
public sealed class AnswerTests(TinyModel model)
{
    [Fact]
    public void Caption_prints_the_answer_alone_and_says_that_it_was_cut_off()
    {
        var outcome = model.Run("caption", "a.wav");
        Assert.Equal(0, outcome.ExitCode);
        Assert.Single(outcome.Lines);
        Assert.Equal("note: 'a.wav': the answer was cut off after 4 tokens; --max-tokens allows more.\n", outcome.Error);
        Assert.Equal(outcome.Output, model.Run("caption", "a.wav").Output);
    }

    [Fact]
    public void Json_has_one_object_a_line_with_everything_needed_to_repeat_it()
    {
        var outcome = model.Run("caption", "b.wav", "a.wav", "--json", "--show-prompt", "--sample", "--seed", "7", "--top-p", "0.9", "--candidates", "3");
        Assert.Equal(0, outcome.ExitCode);
        var lines = outcome.Lines.Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Equal(["b.wav", "a.wav"], lines.Select(l => l.GetProperty("file").GetString()));
        var first = lines[0];
        Assert.Equal(model.Config.Prompts.Ask(TaskPrompts.Caption).Show(model.Tokenizer), first.GetProperty("prompt").GetString());
        Assert.Equal(3, first.GetProperty("candidates").GetArrayLength());
        Assert.Equal(first.GetProperty("text").GetString(), first.GetProperty("candidates")[0].GetProperty("text").GetString());
        Assert.Equal(("length", 4), (first.GetProperty("finish").GetString(), first.GetProperty("tokens").GetInt32()));
        Assert.Equal((3, 0), (first.GetProperty("seconds_heard").GetDouble(), first.GetProperty("seconds_dropped").GetDouble()));
        Assert.Equal(("tiny", "cpu", "float32"),
            (first.GetProperty("model").GetString(), first.GetProperty("device").GetString(), first.GetProperty("dtype").GetString()));
        var generation = first.GetProperty("generation");
        Assert.Equal((4, true, 0.9, 7),
            (generation.GetProperty("max_tokens").GetInt32(), generation.GetProperty("sample").GetBoolean(), generation.GetProperty("top_p").GetDouble(), generation.GetProperty("seed").GetInt64()));
    }

    [Fact]
    public void Files_patterns_and_batches_give_the_answers_of_single_files()
    {
        var together = model.Run("caption", "?.wav", "long.wav", "--batch", "2");
        Assert.Equal(0, together.ExitCode);
        string[] alone = [.. new[] { "a.wav", "b.wav", "long.wav" }.Select(f => $"{f}: {model.Run("caption", f).Lines[0]}")];
        Assert.Equal(alone, together.Lines);
    }

    [Fact]
    public void A_bad_file_is_reported_and_the_others_are_answered()
    {
        var outcome = model.Run("caption", "empty.wav", "a.wav", "missing.wav", "b.wav", "--batch", "3");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Equal(["a.wav", "b.wav"], outcome.Lines.Select(l => l.Split(':')[0]));
        Assert.Contains("error: 'empty.wav' is empty: 0 bytes.\n", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("error: 'missing.wav' does not exist; check the path.\n", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Seconds_that_are_cut_off_are_said()
    {
        var outcome = model.Run("caption", "long.wav", "--json");
        Assert.StartsWith("note: 'long.wav': heard 12.8 s of 20.0 s; the rest does not fit this model: hear it with --start 12.8.\n", outcome.Error, StringComparison.Ordinal);
        var line = JsonDocument.Parse(outcome.Output).RootElement;
        Assert.Equal((12.75, 7.25), (line.GetProperty("seconds_heard").GetDouble(), line.GetProperty("seconds_dropped").GetDouble()));
        Assert.DoesNotContain("heard", model.Run("caption", "long.wav", "--start", "3", "--duration", "2").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Ask_shows_exactly_the_prompt_that_the_library_builds()
    {
        var outcome = model.Run("ask", "a.wav", "Is it  a Bell?", "--yes-no", "--show-prompt");
        Assert.Equal(0, outcome.ExitCode);
        string prompt = model.Config.Prompts.Ask(TaskPrompts.YesOrNo("Is it  a Bell?")).Show(model.Tokenizer);
        Assert.StartsWith(prompt + "\n", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Ask_lists_the_options_to_choose_from()
    {
        var outcome = model.Run("ask", "a.wav", "Where is it?", "--options", "Church, School", "--show-prompt", "--generate");
        Assert.Equal(0, outcome.ExitCode);
        string prompt = model.Config.Prompts.Ask(TaskPrompts.Choose("Where is it?", ["Church", "School"])).Show(model.Tokenizer);
        Assert.StartsWith(prompt + "\n", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("note: 'a.wav': the answer is none of the labels.\n", outcome.Error, StringComparison.Ordinal);
        var both = model.Run("ask", "a.wav", "Where is it?", "--options", "a,b", "--yes-no");
        Assert.Equal((1, "error: Give --yes-no or --options, not both. See 'flamingo ask --help'.\n"), (both.ExitCode, both.Error));
    }

    [Fact]
    public void Ask_with_options_or_yes_no_always_says_one_of_them()
    {
        var outcome = model.Run("ask", "a.wav", "Where is it?", "--options", "Church, School", "--json", "--show-prompt");
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Error));
        var line = JsonDocument.Parse(outcome.Output).RootElement;
        Assert.Equal(["Church", "School"], Labels(line).Order(StringComparer.Ordinal));
        Assert.Equal(line.GetProperty("text").GetString(), line.GetProperty("label").GetString());
        Assert.Equal(model.Config.Prompts.Ask(TaskPrompts.Choose("Where is it?", ["Church", "School"])).Show(model.Tokenizer), line.GetProperty("prompt").GetString());
        var unlisted = JsonDocument.Parse(model.Run("ask", "a.wav", "Where is it?", "--options", "Church, School", "--json", "--show-prompt", "--unlisted").Output).RootElement;
        Assert.Equal(model.Config.Prompts.Ask(TaskPrompts.Question("Where is it?")).Show(model.Tokenizer), unlisted.GetProperty("prompt").GetString());
        Assert.Contains(model.Run("ask", "a.wav", "Is it a bell?", "--yes-no").Output, new[] { "yes\n", "no\n" });
    }

    [Fact]
    public void A_model_that_was_not_trained_to_reason_is_not_asked_to()
    {
        var outcome = model.Run("ask", "a.wav", "Where is it?", "--think");
        Assert.Equal((1, "", "error: The prompt format af1-inference has no form for reasoning; ask without it, or use a chain-of-thought model of Audio Flamingo 2.\n"),
            (outcome.ExitCode, outcome.Output, outcome.Error));
    }

    [Fact]
    public void Ask_takes_files_as_words_and_as_options()
    {
        var outcome = model.Run("ask", "a.wav", "What is it?", "--file", "b.wav");
        Assert.Equal(["a.wav", "b.wav"], outcome.Lines.Select(l => l.Split(':')[0]));
    }

    [Fact]
    public void A_special_token_in_a_question_is_plain_text()
    {
        var outcome = model.Run("ask", "a.wav", "Is <audio> here?", "--json");
        Assert.Equal(0, outcome.ExitCode);
        Assert.Equal(model.Config.Prompts.Ask(TaskPrompts.Question("Is <audio> here?")).Encode(model.Tokenizer).Count,
            JsonDocument.Parse(outcome.Output).RootElement.GetProperty("prompt_tokens").GetInt32());
    }

    [Fact]
    public void Classify_takes_labels_from_the_line_or_a_file_and_tells_an_answer_that_is_none()
    {
        string file = model.NewPath();
        File.WriteAllText(file, "rain\n\ncar horn\n");
        var line = model.Run("classify", "a.wav", "--labels", "rain, car horn", "--show-prompt", "--generate");
        var listed = model.Run("classify", "a.wav", "--labels-file", file, "--show-prompt", "--generate");
        Assert.Equal((0, line.Output, line.Error), (listed.ExitCode, listed.Output, listed.Error));
        Assert.StartsWith(model.Config.Prompts.Ask(TaskPrompts.Classify(["rain", "car horn"])).Show(model.Tokenizer), line.Error, StringComparison.Ordinal);
        Assert.Contains("note: 'a.wav': the answer is none of the labels.\n", line.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Classify_says_the_likeliest_label_and_how_probable_each_is()
    {
        string[] labels = ["car horn", "rain", "a long and winding label"];
        string[] line = ["classify", "a.wav", "b.wav", "--labels", string.Join(',', labels)];
        var outcome = model.Run([.. line, "--json", "--batch", "2"]);
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Error));
        Assert.Equal(2, outcome.Lines.Length);
        var json = outcome.Lines.Select(l => JsonDocument.Parse(l).RootElement).ToList();
        foreach (var file in json)
        {
            var probabilities = file.GetProperty("probabilities").EnumerateArray().ToList();
            Assert.Equal(labels.Order(StringComparer.Ordinal), Labels(file).Order(StringComparer.Ordinal));
            Assert.Equal(file.GetProperty("label").GetString(), probabilities[0].GetProperty("label").GetString());
            Assert.Equal(file.GetProperty("probability").GetDouble(), probabilities.Max(p => p.GetProperty("probability").GetDouble()));
            Assert.Equal(1, probabilities.Sum(p => p.GetProperty("probability").GetDouble()), 1e-5);
            Assert.Equal("sum", file.GetProperty("score").GetString());
            Assert.False(file.TryGetProperty("generation", out _) || file.TryGetProperty("finish", out _));
        }
        Assert.Equal(json.Select(j => $"{j.GetProperty("file").GetString()}: {j.GetProperty("label").GetString()}"), model.Run(line).Lines);

        string[] table = model.Run([.. line, "--show-scores"]).Lines;
        Assert.Equal(8, table.Length);
        Assert.Equal(Labels(json[0]), table[1..4].Select(row => row[2..26].TrimEnd()));
        Assert.Matches(@"\A  .{24}  [ \d]{3}\.\d %\z", table[1]);
        Assert.Equal("mean", JsonDocument.Parse(model.Run([.. line, "--json", "--score", "mean"]).Lines[0]).RootElement.GetProperty("score").GetString());
    }

    private static IEnumerable<string> Labels(JsonElement line) =>
        line.GetProperty("probabilities").EnumerateArray().Select(p => p.GetProperty("label").GetString()!);
}
