using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Cli.Tests;

/// <summary><c>flamingo label</c> through the real process.</summary>
[Collection(WithTinyModel.Name)]
public sealed class LabelTests(TinyModel model) : IDisposable
{
    private const int Many = 300;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("flamingo-label-");

    public void Dispose() => _folder.Delete(recursive: true);

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private static string Partial(string output) => output + ".partial";

    private string[] Command(string input, string output, params string[] more) =>
        ["label", input, "--out", output, "--model", model.Folder, "--max-tokens", "4", .. more];

    private ProcessOutcome Run(string[] command, int processes = 1)
    {
        using var process = ProcessRunner.Start(_folder.FullName, null, command, processes);
        process.StandardInput.Close();
        return ProcessRunner.Finish(process, process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
    }

    private string Clips(int count)
    {
        string folder = At($"clips{count}");
        Directory.CreateDirectory(folder);
        for (int i = 0; i < count; i++)
            WaveFile.Tone(Path.Combine(folder, $"{i:000}.wav"), 0.2 + 0.1 * (i % 5));
        return folder;
    }

    private static List<JsonElement> Lines(string output) => [.. File.ReadLines(output).Select(l => JsonDocument.Parse(l).RootElement)];

    private static string FileOf(JsonElement line) => line.GetProperty("file").GetString()!;

    private static string? TextOf(JsonElement line, string name = "text") => line.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static void WaitForGrowth(string path, Process process)
    {
        long Length() => File.Exists(path) ? new FileInfo(path).Length : 0;
        long before = Length();
        while (Length() <= before && !process.HasExited)
            Thread.Sleep(2);
    }

    [Fact]
    public void Every_sound_of_a_folder_has_the_text_that_caption_gives_or_the_reason_why_there_is_none()
    {
        string output = At("labels.jsonl");
        var outcome = Run(Command(model.Sounds, output, "--batch", "3"));
        Assert.Equal((2, ""), (outcome.ExitCode, outcome.Output));
        var lines = Lines(output);
        string[] names = ["a.wav", "b.wav", "empty.wav", "long.wav", "nan.wav", "silent.wav", "text.wav"];
        Assert.Equal(names.Select(n => Path.Combine(model.Sounds, n)), lines.Select(FileOf));

        var captions = ProcessRunner.Run(["caption", .. lines.Select(FileOf), "--model", model.Folder, "--max-tokens", "4"]);
        Assert.Equal(captions.Lines, lines.Where(l => TextOf(l) is not null).Select(l => $"{FileOf(l)}: {TextOf(l)}"));
        string[] reasons = [.. lines.Select(l => TextOf(l, "error")).OfType<string>().Select(e => $"error: {e}")];
        Assert.Equal(4, reasons.Length);
        Assert.Equal(captions.Error.Split('\n').Where(l => l.StartsWith("error: ", StringComparison.Ordinal)).Order(), reasons.Order());
        Assert.EndsWith($"note: 3 sounds are labelled in '{output}'; 4 could not be read, and their lines say why.\n", outcome.Error, StringComparison.Ordinal);
        Assert.Equal(("Describe the sound in a sentence.", "tiny", 4), (TextOf(lines[0], "question"), TextOf(lines[0], "model"), lines[0].GetProperty("generation").GetProperty("max_tokens").GetInt32()));

        var again = Run(Command(model.Sounds, output));
        Assert.Equal((1, $"error: '{output}' exists already; name another file, or add --restart to write it anew.\n"), (again.ExitCode, again.Error));
    }

    [Fact]
    public void However_often_a_run_is_killed_each_sound_has_exactly_one_line()
    {
        string clips = Clips(Many), whole = At("whole.jsonl"), cut = At("cut.jsonl");
        Assert.Equal(0, Run(Command(clips, whole)).ExitCode);

        var random = new Random(5);
        for (int kills = 0; kills < 10; kills++)
        {
            using var process = ProcessRunner.Start(_folder.FullName, null, Command(clips, cut, "--batch", $"{random.Next(1, 4)}"));
            WaitForGrowth(Partial(cut), process);
            Thread.Sleep(random.Next(30));
            process.Kill(); // SIGKILL
            process.WaitForExit();
            Assert.False(File.Exists(cut), $"The run was over after {kills} kills.");
        }
        File.AppendAllText(Partial(cut), "{\"file\":\"half a li");

        var last = Run(Command(clips, cut));
        Assert.Equal(0, last.ExitCode);
        Assert.Matches(@"\Anote: \d+ sounds are done already; the others follow\.\nnote: 300 sounds are labelled in '.*'\.\n\z", last.Error);
        Assert.Equal(File.ReadAllText(whole), File.ReadAllText(cut));
        Assert.Equal(Many, Lines(cut).Select(FileOf).Distinct().Count());
        Assert.False(File.Exists(Partial(cut)));
    }

    [Fact]
    public void Processes_of_mpirun_share_the_sounds_and_any_number_of_them_continues_a_run()
    {
        Mpirun.Require();
        string clips = Clips(Many), one = At("one.jsonl"), two = At("two.jsonl"), cut = At("cut.jsonl");
        Assert.Equal(0, Run(Command(clips, one)).ExitCode);
        var together = Run(Command(clips, two), processes: 2);
        Assert.Equal((0, "", $"note: 300 sounds are labelled in '{two}'.\n"), (together.ExitCode, together.Output, together.Error));
        Assert.Equal(File.ReadAllText(one), File.ReadAllText(two));

        using (var process = ProcessRunner.Start(_folder.FullName, null, Command(clips, cut, "--batch", "1"), processes: 2))
        {
            var error = process.StandardError.ReadToEndAsync();
            WaitForGrowth(Partial(cut + ".1"), process); // what the labels belong to
            WaitForGrowth(Partial(cut + ".1"), process); // the first of them
            string[] ranks = File.ReadAllText($"/proc/{process.Id}/task/{process.Id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);
            Process.GetProcessById(int.Parse(ranks[^1], CultureInfo.InvariantCulture)).Kill();
            var outcome = ProcessRunner.Finish(process, process.StandardOutput.ReadToEndAsync(), error);
            Assert.NotEqual(0, outcome.ExitCode);
            Assert.Contains("exited on signal 9 (Killed)", outcome.Error, StringComparison.Ordinal);
        }
        Assert.False(File.Exists(cut));

        var other = Run(Command(clips, cut, "--style", "tags"));
        Assert.Equal((1, $"error: '{Partial(cut)}' was begun by another run: different are the prompt. Repeat that command to continue it, or add --restart to begin anew.\n"), (other.ExitCode, other.Error));
        WaveFile.Tone(Path.Combine(clips, "zzz.wav"), 0.2); // one has come in the meantime
        var alone = Run(Command(clips, cut));
        Assert.Equal(0, alone.ExitCode);
        Assert.Matches(@"\Anote: \d+ sounds are done already; the others follow\.\nnote: 301 ", alone.Error);
        Assert.Equal(File.ReadLines(one), File.ReadLines(cut).SkipLast(1));
        Assert.Empty(Directory.GetFiles(_folder.FullName, "*.partial"));
    }

    [Fact]
    public void Shards_share_the_sounds_without_talking()
    {
        string clips = Clips(20);
        var files = Enumerable.Range(1, 3).Select(i =>
        {
            string output = At($"{i}.jsonl");
            Assert.Equal(0, Run(Command(clips, output, "--shard", $"{i}/3")).ExitCode);
            return Lines(output).Select(FileOf).ToList();
        }).ToList();
        Assert.Equal(Directory.GetFiles(clips).Order(StringComparer.Ordinal), files.SelectMany(f => f).Order(StringComparer.Ordinal));
        Assert.All(files, f => Assert.InRange(f.Count, 1, 19));
    }

    [Fact]
    public void Manifests_and_data_sets_name_sounds_and_the_parts_that_are_meant()
    {
        Clips(3);
        string set = _folder.CreateSubdirectory("set").FullName;
        void Write(string task, string split, string path, string data) => File.WriteAllText(
            Path.Combine(Directory.CreateDirectory(Path.Combine(set, task)).FullName, $"{split}.json"),
            $$"""{"dataset_path": "{{path}}", "split": "{{split}}", "split_path": "", "flamingo_task": "{{task}}", "total_num": 2, "data": {{data}}}""");
        Write("Tiny-AudioCaptioning", "test", "", """{"0": {"name": "../clips3/000.wav", "prompt": "p", "output": "o"}, "1": {"name": "../clips3/000.wav", "prompt": "q", "output": "o"}}""");
        Write("Tiny-AQA", "train", At("clips3"), """{"0": {"name": "002.wav", "prompt": "p", "output": "o", "audio_start": 0.1, "audio_duration": 0.2}}""");
        string output = At("one.jsonl"), all = At("all.jsonl");

        Assert.Equal(0, Run(Command("set/Tiny-AudioCaptioning/test.json", output, "--prompt", "What is this?")).ExitCode);
        var line = Assert.Single(Lines(output)); // two questions about one sound
        Assert.Equal(("set/../clips3/000.wav", "What is this?"), (FileOf(line), TextOf(line, "question")![^13..]));

        File.WriteAllText(Path.Combine(set, "set.json"), "{}");
        Assert.Equal(0, Run(Command("set", all)).ExitCode);
        var lines = Lines(all);
        Assert.Equal([At("clips3/002.wav"), "set/../clips3/000.wav"], lines.Select(FileOf));
        Assert.Equal((0.1, 0.2, 0.2), (lines[0].GetProperty("start").GetDouble(), lines[0].GetProperty("duration").GetDouble(), lines[0].GetProperty("seconds_heard").GetDouble()));
    }

    [Fact]
    public void Without_ffmpeg_the_run_stops_instead_of_giving_the_sounds_up()
    {
        string sounds = _folder.CreateSubdirectory("flac").FullName, output = At("labels.jsonl");
        File.WriteAllBytes(Path.Combine(sounds, "a.flac"), [.. "fLaC"u8, .. new byte[100]]);
        var variables = new Dictionary<string, string> { ["FLAMINGO_FFMPEG"] = At("no-ffmpeg") };
        var outcome = ProcessRunner.RunIn(_folder.FullName, null, variables, Command(sounds, output));
        Assert.Equal(2, outcome.ExitCode);
        Assert.Matches(@"\Aerror: '.*a\.flac' is FLAC; reading it needs ffmpeg, and .* cannot be started\.", outcome.Error);
        Assert.False(File.Exists(output) || File.Exists(Partial(output)));
    }

    [Theory]
    [InlineData(1, "'5/4' is no part; write --shard 2/4 for the second of four. See 'flamingo label --help'.", "--out", "x.jsonl", "--shard", "5/4")]
    [InlineData(1, "Say what to ask by one of --caption, --prompt and --style. See 'flamingo label --help'.", "--out", "x.jsonl", "--caption", "--prompt", "What?")]
    [InlineData(1, "The question is empty; ask something about the sound.", "--out", "x.jsonl", "--prompt", " ")]
    [InlineData(1, "Option '--out' is required. See 'flamingo label --help'.")]
    [InlineData(2, "There is no sound in '.'; name sound files, a folder of them, a data set or a manifest.", "--out", "x.jsonl")]
    public void What_cannot_be_done_is_said_in_one_sentence(int code, string sentence, params string[] arguments)
    {
        var outcome = Run(["label", ".", .. arguments, "--model", model.Folder]);
        Assert.Equal((code, "", $"error: {sentence}\n"), (outcome.ExitCode, outcome.Output, outcome.Error));
        Assert.Empty(_folder.GetFileSystemInfos());
    }
}
