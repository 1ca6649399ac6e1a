using System.Text.Json;

namespace FlamingoSharp.Cli.Tests;

/// <summary>From a folder of sounds to a checked data set, as a user does it.</summary>
public sealed class DataVerbTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flamingo-data-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ProcessOutcome Run(params string[] arguments) => ProcessRunner.RunIn(_folder, null, null, arguments);

    private void WriteClasses(int each)
    {
        foreach (string label in new[] { "dog", "rain" })
        {
            Directory.CreateDirectory(Path.Combine(_folder, "sounds", label));
            for (int i = 0; i < each; i++)
                WaveFile.Tone(Path.Combine(_folder, "sounds", label, $"{i}.wav"), (label == "dog" ? 0.2 : 0.6) + (0.05 * i));
        }
    }

    [Fact]
    public void A_folder_becomes_a_set_that_is_checked_shown_and_interleaved()
    {
        WriteClasses(each: 5);
        var built = Run("data", "build", "sounds", "--out", "set");
        Assert.Equal((0, ""), (built.ExitCode, built.Error));
        Assert.Equal(
            [$"{Path.Combine(_folder, "set")}: 10 examples", "  sounds-SoundClassification/train  6", "  sounds-SoundClassification/val    2", "  sounds-SoundClassification/test   2"],
            built.Lines);

        var valid = Run("data", "validate", "set");
        Assert.Equal((0, ""), (valid.ExitCode, valid.Error));
        Assert.Equal("no errors, 0 warnings", valid.Lines[^1]);
        Assert.Contains(valid.Lines, l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries) is ["sounds-SoundClassification/train", "6", "6", _, "0", "0"]);

        var shots = Run("data", "interleave", "set", "--shots", "2", "--random", "--splits", "test");
        Assert.Equal((0, "sounds-SoundClassification/interleaved_random-test: 2 items of 2 shots\n"), (shots.ExitCode, shots.Output));

        var alike = Run("data", "interleave", "set", "--shots", "1", "--index", "sounds.db", "--splits", "val"); // by models/clap-mini
        Assert.Equal((0, "sounds-SoundClassification/interleaved_knn-val: 2 items of 1 shots\n", ""), (alike.ExitCode, alike.Output, alike.Error));
        Assert.True(File.Exists(Path.Combine(_folder, "sounds.db")));

        var shown = Run("data", "preview", "set", "--split", "test", "--count", "1");
        Assert.Equal((0, ""), (shown.ExitCode, shown.Error));
        Assert.Matches("""
            \Asounds-SoundClassification/test item \d: \d+ tokens, \d+ learnt
              .*/sounds/(dog|rain)/\d.wav
            </s></s>the task is sound classification.<audio>classify this sound.
            options:
             - dog.
             - rain.
            answer:<SEP>⟦(dog|rain)<\|endofchunk\|></s>⟧

            sounds-SoundClassification/interleaved_random-test item \d:
            """, shown.Output);
    }

    [Fact]
    public void Faults_are_told_and_end_with_the_code_of_bad_input()
    {
        WriteClasses(each: 4);
        File.WriteAllText(Path.Combine(_folder, "sounds", "dog", "notes.wav"), "hello there");
        var built = Run("data", "build", "sounds", "--out", "set", "--json");
        Assert.Equal(2, built.ExitCode);
        Assert.Equal($"warning: {Path.Combine(_folder, "sounds", "dog", "notes.wav")} holds text, not sound.\nwarning: 1 fault in all; the data set was made without what they concern.\n", built.Error);
        using var json = JsonDocument.Parse(built.Output);
        Assert.Equal(8, json.RootElement.GetProperty("manifests").EnumerateObject().Sum(m => m.Value.GetInt32()));
        Assert.True(json.RootElement.GetProperty("left_out")[0].GetProperty("is_fault").GetBoolean());

        File.Delete(Path.Combine(_folder, "sounds", "rain", "0.wav"));
        var checkedSet = Run("data", "validate", "set", "--json");
        Assert.Equal(2, checkedSet.ExitCode);
        using var report = JsonDocument.Parse(checkedSet.Output);
        Assert.Equal(1, report.RootElement.GetProperty("errors").GetInt32());
        Assert.Equal("missing", report.RootElement.GetProperty("faults")[0].GetProperty("kind").GetString());
    }

    [Theory]
    [InlineData("--out is missing: the folder of the data set. See 'flamingo data build --help'.", "data", "build", "sounds")]
    [InlineData("Name a folder of class folders, a .csv or .jsonl file, or --catalogue. See 'flamingo data build --help'.", "data", "build", "--out", "set")]
    [InlineData("--qa belongs to --catalogue; give both, or leave it out. See 'flamingo data build --help'.", "data", "build", "sounds", "--out", "set", "--qa", "qa.jsonl")]
    [InlineData("--catalogue needs --audio, the folder of its packages. See 'flamingo data build --help'.", "data", "build", "--out", "set", "--catalogue", "c.jsonl")]
    [InlineData("'a/b' cannot be the name of a data set; use letters, digits, and - _ + . after the first.", "data", "build", "sounds", "--out", "set", "--name", "a/b")]
    [InlineData("--random compares no sounds; leave --clap, --tokenizer and --index out. See 'flamingo data interleave --help'.", "data", "interleave", "set", "--random", "--index", "i.db")]
    public void Contradictions_are_wrong_usage(string sentence, params string[] arguments)
    {
        var outcome = Run(arguments);
        Assert.Equal((1, "", $"error: {sentence}\n"), (outcome.ExitCode, outcome.Output, outcome.Error));
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }
}
