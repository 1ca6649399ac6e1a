using System.Diagnostics;
using System.Text.Json;

namespace FlamingoSharp.Cli.Tests;

/// <summary><c>flamingo caption --segments</c> through the real process.</summary>
[Collection(WithTinyModel.Name)]
public sealed class SegmentTests(TinyModel model)
{
    private string[] Command(string file, string output, string seconds = "2") =>
        ["caption", file, "--model", model.Folder, "--max-tokens", "4", "--segments", seconds, "--out", output];

    private ProcessOutcome Run(string[] command, params string[] more) => ProcessRunner.RunIn(model.Sounds, null, null, [.. command, .. more]);

    private string NewFile(string extension) => model.NewPath() + extension;

    // 300 segments of a second, whose lines of JSON do not fit into a pipe: a run that nobody reads waits in the middle.
    private string LongSound()
    {
        string path = NewFile(".wav");
        WaveFile.Tone(path, 300);
        return path;
    }

    private string[] LongCommand(string sound, string output) => [.. Command(sound, output, "1"), "--json"];

    private Process StartLong(string sound, string output, int lines = 1)
    {
        var process = ProcessRunner.Start(model.Sounds, null, LongCommand(sound, output));
        for (int i = 0; i < lines; i++)
            Assert.NotNull(process.StandardOutput.ReadLine());
        return process;
    }

    private static string Partial(string output) => output + ".partial";

    [Fact]
    public void Captions_come_with_their_times_and_each_is_that_of_its_part_alone()
    {
        var outcome = model.Run("caption", "long.wav", "--segments", "7.5", "--start", "1");
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Error));
        string[] alone = [.. new[] { "1", "8.5", "16" }.Select(s => model.Run("caption", "long.wav", "--start", s, "--duration", "7.5").Lines[0])];
        Assert.Equal([$"[00:00:01.0 - 00:00:08.5] {alone[0]}", $"[00:00:08.5 - 00:00:16.0] {alone[1]}", $"[00:00:16.0 - 00:00:20.0] {alone[2]}"], outcome.Lines);
        var several = model.Run("caption", "a.wav", "missing.wav", "b.wav", "--segments", "2", "--batch", "4");
        Assert.Equal((2, "error: 'missing.wav' does not exist; check the path.\n"), (several.ExitCode, several.Error));
        Assert.Equal(["a.wav: [00:00:00 - 00:00:02] ", "b.wav: [00:00:00 - 00:00:02] ", "b.wav: [00:00:02 - 00:00:03] "], several.Lines.Select(l => l[..29]));
    }

    [Fact]
    public void Json_has_one_object_a_segment()
    {
        var lines = model.Run("caption", "b.wav", "--segments", "2", "--json").Lines.Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Equal([(0, 0, 2), (1, 2, 3)], lines.Select(l => (l.GetProperty("segment").GetInt32(), l.GetProperty("start").GetDouble(), l.GetProperty("end").GetDouble())));
        Assert.All(lines, l => Assert.Equal(("b.wav", "tiny"), (l.GetProperty("file").GetString(), l.GetProperty("model").GetString())));
    }

    [Fact]
    public void Captions_are_written_as_lines_of_json_and_as_subtitles()
    {
        string jsonl = NewFile(".jsonl"), srt = NewFile(".srt"), vtt = NewFile(".vtt");
        var outcome = Run(Command("b.wav", jsonl), "--json");
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Error));
        Assert.Equal(outcome.Output, File.ReadAllText(jsonl));
        string[] texts = [.. outcome.Lines.Select(l => JsonDocument.Parse(l).RootElement.GetProperty("text").GetString()!)];
        Assert.Equal(0, Run(Command("b.wav", srt)).ExitCode);
        Assert.Equal($"1\n00:00:00,000 --> 00:00:02,000\n{texts[0]}\n\n2\n00:00:02,000 --> 00:00:03,000\n{texts[1]}\n\n", File.ReadAllText(srt));
        Assert.Equal(0, Run(Command("b.wav", vtt)).ExitCode);
        Assert.Equal($"WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n{texts[0]}\n\n00:00:02.000 --> 00:00:03.000\n{texts[1]}\n\n", File.ReadAllText(vtt));
        Assert.All(new[] { jsonl, srt, vtt }, f => Assert.False(File.Exists(Partial(f))));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_killed_run_continues_where_it_stopped_and_ends_with_the_same_file(bool torn)
    {
        string sound = LongSound(), whole = NewFile(".jsonl"), cut = NewFile(".jsonl");
        var uninterrupted = Run(LongCommand(sound, whole));
        Assert.Equal(300, uninterrupted.Lines.Length);

        using (var process = StartLong(sound, cut, lines: 3))
        {
            process.Kill(); // SIGKILL
            process.WaitForExit();
        }
        Assert.False(File.Exists(cut));
        int done = File.ReadLines(Partial(cut)).Count() - 1;
        Assert.InRange(done, 3, 299);
        if (torn)
            File.AppendAllText(Partial(cut), "{\"file\":\"long.wav\",\"segm");

        var continued = Run(LongCommand(sound, cut));
        Assert.Equal((0, $"note: '{sound}': continues after 00:{done / 60:00}:{done % 60:00}; {done} segments are done.\n"), (continued.ExitCode, continued.Error));
        Assert.Equal(uninterrupted.Lines.Skip(done), continued.Lines);
        Assert.Equal(File.ReadAllText(whole), File.ReadAllText(cut));
        Assert.False(File.Exists(Partial(cut)));
    }

    [Fact]
    public void An_interrupt_keeps_what_is_done_and_says_so()
    {
        string sound = LongSound(), output = NewFile(".srt");
        using var process = StartLong(sound, output);
        using var kill = Process.Start("kill", ["-INT", $"{process.Id}"]);
        kill.WaitForExit();
        var outcome = ProcessRunner.Finish(process, process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        Assert.Equal(130, outcome.ExitCode);
        Assert.Matches(@"\Anote: \d+ segments are done; the same command continues after them\.\nerror: cancelled\.\n\z", outcome.Error);
        Assert.Equal(0, Run(LongCommand(sound, output)).ExitCode);
        Assert.Equal(300, File.ReadAllText(output).Split("-->").Length - 1);
    }

    [Fact]
    public void A_run_is_continued_only_by_the_same_work_on_the_same_sound_by_the_same_model()
    {
        string output = NewFile(".srt"), sound = LongSound();
        string[] command = LongCommand(sound, output);
        using (var process = StartLong(sound, output))
        {
            process.Kill();
            process.WaitForExit();
        }
        byte[] left = File.ReadAllBytes(Partial(output));

        void Refused(string difference, params string[] more)
        {
            var outcome = Run(command, more);
            Assert.Equal((1, "", $"error: '{Partial(output)}' was begun by another run: different are {difference}. Repeat that command to continue it, or add --restart to begin anew.\n"),
                (outcome.ExitCode, outcome.Output, outcome.Error));
            Assert.Equal(left, File.ReadAllBytes(Partial(output)));
        }

        Refused("--start, how answers are generated", "--start", "1", "--beams", "2");
        Refused("the prompt", "--style", "tags");
        WaveFile.Tone(sound, 4.5);
        Refused("the sound");

        var anew = Run(command, "--restart");
        Assert.Equal((0, ""), (anew.ExitCode, anew.Error));
        Assert.Equal(5, anew.Lines.Length);
        var again = Run(command);
        Assert.Equal((1, $"error: '{output}' exists already; name another file, or add --restart to write it anew.\n"), (again.ExitCode, again.Error));
        Assert.Equal(0, Run(command, "--restart").ExitCode);
    }

    [Fact]
    public void Two_runs_do_not_write_the_same_file()
    {
        string sound = LongSound(), output = NewFile(".srt");
        using var process = StartLong(sound, output);
        var other = Run(LongCommand(sound, output));
        Assert.Equal((1, ""), (other.ExitCode, other.Output));
        Assert.StartsWith($"error: '{Partial(output)}' cannot be written, or another run is writing it: ", other.Error, StringComparison.Ordinal);
        process.Kill();
    }

    [Theory]
    [InlineData(1, "--out needs --segments. See 'flamingo caption --help'.", "--out", "x.srt")]
    [InlineData(1, "'x.txt' has no known form; --out writes .jsonl, .srt or .vtt. See 'flamingo caption --help'.", "--segments", "2", "--out", "x.txt")]
    [InlineData(1, "--restart needs --out. See 'flamingo caption --help'.", "--segments", "2", "--restart")]
    [InlineData(1, "A segment is 60 s long; this model takes segments from 1 to 12.75 s.", "--segments", "60", "--out", "x.srt")]
    [InlineData(1, "--out takes the captions of one file, but 2 are given; caption them one by one.", "b.wav", "--segments", "2", "--out", "x.srt")]
    [InlineData(1, "'nowhere/x.srt.partial' cannot be written, or another run is writing it: Could not find a part of the path '{0}/nowhere/x.srt.partial'.", "--segments", "2", "--out", "nowhere/x.srt")]
    public void What_cannot_be_done_is_said_in_one_sentence_and_leaves_nothing(int code, string sentence, params string[] arguments)
    {
        string[] before = Directory.GetFileSystemEntries(model.Sounds);
        var outcome = model.Run(["caption", "a.wav", .. arguments]);
        Assert.Equal((code, "", $"error: {sentence.Replace("{0}", model.Sounds, StringComparison.Ordinal)}\n"), (outcome.ExitCode, outcome.Output, outcome.Error));
        Assert.Equal(before, Directory.GetFileSystemEntries(model.Sounds));
    }

    [Fact]
    public void A_sound_that_cannot_be_read_leaves_no_journal()
    {
        string output = NewFile(".srt");
        var outcome = Run(Command("text.wav", output));
        Assert.Equal((2, "error: 'text.wav' holds text (\"hello there\"), not sound; give a WAV, FLAC, Ogg, MP3 or another sound file.\n"), (outcome.ExitCode, outcome.Error));
        Assert.False(File.Exists(output) || File.Exists(Partial(output)));
    }
}
