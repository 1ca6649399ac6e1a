using FlamingoSharp.Audio;
using FlamingoSharp.Training.Sounds;

namespace FlamingoSharp.Training.Tests.Sounds;

public sealed class RenderSoundsTests : IDisposable
{
    private readonly SoundFolder _folder = new();

    [Fact]
    public void Stores_every_clip_and_recipe_as_the_reader_reads_it()
    {
        var options = _folder.Options("store") with { DemoFolder = Path.Combine(_folder.Audio, "pack") };
        List<SoundProgress> progress = [];
        Assert.Empty(RenderSounds.Run(options, new Reporter(progress.Add)));
        Assert.Equal(new SoundProgress(13, 13, 0), progress[^1]);

        using var store = SoundStore.Open(options.OutputFolder);
        Assert.Equal(new SoundStoreSettings(32000, 10.2), store.Settings);
        Assert.Equal(
            ["dog_1", "bell_1", "wind_1", "long_1", "bell.wav", "dog.wav", "long.wav", "wind.wav", "rep", "seq", "mix", "beeps", "quiet"], store.Ids);
        Assert.Equal(("val", "demo", "train"), (store.SplitOf("long_1"), store.SplitOf("dog.wav"), store.SplitOf("mix")));

        var wind = SoundFile.Load(Path.Combine(_folder.Audio, "pack", "wind.wav"), new() { SampleRate = 32000, StartSeconds = 0.5, DurationSeconds = 1 });
        Assert.Equal(32000, wind.Samples.Length);
        Assert.Equal(SoundLevel.ToInt16(wind.Samples), store.Read("wind_1").ToArray());
        Assert.Equal((326400, true), (store.Read("long_1").Length, store.IsCut("long_1"))); // 10.2 of 12 s
        Assert.False(store.IsCut("dog_1"));
        Assert.Equal(short.MaxValue, store.Read("rep").ToArray().Max(s => Math.Abs((int)s)));
        Assert.All(store.Read("quiet").ToArray(), s => Assert.Equal(0, s));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(8)]
    public void Goes_on_where_it_was_stopped(int stopAfter)
    {
        var (samples, index) = Files("whole");
        var stopped = _folder.Options("stopped");
        using (CancellationTokenSource stop = new())
        {
            Reporter reporter = new(p =>
            {
                if (p.Done >= stopAfter)
                    stop.Cancel();
            });
            try
            {
                RenderSounds.Run(stopped, reporter, stop.Token);
            }
            catch (OperationCanceledException)
            {
                // Stopped in time; otherwise it was finished already, and running again must change nothing.
            }
        }
        Assert.Empty(RenderSounds.Run(stopped));
        Assert.Equal(samples, File.ReadAllBytes(Path.Combine(stopped.OutputFolder, "sounds.pcm")));
        Assert.Equal(index, File.ReadAllText(Path.Combine(stopped.OutputFolder, "sounds.jsonl")));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1000, 0)]   // data that was lost: its lines are dropped
    [InlineData(0, 10)]     // a torn line
    [InlineData(0, 300)]    // lost lines
    [InlineData(40000, 400)]
    public void Repairs_what_a_crash_left_half_written(int lostData, int lostIndex)
    {
        var (samples, index) = Files("whole");
        string folder = _folder.Options("crashed").OutputFolder;
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, "sounds.pcm"), samples[..^lostData]);
        File.WriteAllText(Path.Combine(folder, "sounds.jsonl"), index[..^lostIndex]);

        Assert.Empty(RenderSounds.Run(_folder.Options("crashed")));
        Assert.Equal(samples, File.ReadAllBytes(Path.Combine(folder, "sounds.pcm")));
        Assert.Equal(index, File.ReadAllText(Path.Combine(folder, "sounds.jsonl")));
    }

    [Fact]
    public void Reports_what_cannot_be_made_and_makes_the_rest()
    {
        File.WriteAllText(Path.Combine(_folder.Audio, "pack", "dog.wav"), "no sound");
        File.Delete(Path.Combine(_folder.Audio, "pack", "bell.wav"));
        SoundFolder.WriteTone(Path.Combine(_folder.Audio, "pack", "long.wav"), 1, 400, channels: 2, silentChannel: 0);
        var failures = RenderSounds.Run(_folder.Options("store")).ToDictionary(f => f.Id, f => f.Reason);
        Assert.Equal(["bell_1", "dog_1", "long_1", "mix", "rep", "seq"], failures.Keys.Order());
        Assert.Equal($"'{Path.Combine(_folder.Audio, "pack", "bell.wav")}' does not exist: unpack its package first.", failures["bell_1"]);
        Assert.Contains("holds text", failures["dog_1"], StringComparison.Ordinal);
        Assert.Equal("Its first channel is silent.", failures["long_1"]);
        using var store = SoundStore.Open(_folder.Options("store").OutputFolder);
        Assert.Equal(["wind_1", "beeps", "quiet"], store.Ids);
    }

    [Fact]
    public void Makes_only_the_splits_asked_for()
    {
        RenderSounds.Run(_folder.Options("store") with { Splits = ["val"] });
        using var store = SoundStore.Open(_folder.Options("store").OutputFolder);
        Assert.Equal(["long_1"], store.Ids);
    }

    [Fact]
    public void Refuses_to_mix_two_settings_in_one_store()
    {
        RenderSounds.Run(_folder.Options("store"));
        var error = Assert.Throws<FlamingoException>(() => RenderSounds.Run(_folder.Options("store") with { SampleRate = 16000 }));
        Assert.EndsWith("choose an empty folder, or the same settings.", error.Message, StringComparison.Ordinal);
        using var store = SoundStore.Open(_folder.Options("store").OutputFolder);
        Assert.Equal(9, store.Ids.Count);
    }

    [Fact]
    public void Reads_a_batch_of_compressed_files_as_it_reads_each()
    {
        SoundFolder.Need("ffmpeg");
        string pack = Path.Combine(_folder.Audio, "pack");
        foreach (string name in new[] { "dog", "bell" })
            ExternalTool.Run("ffmpeg", "ffmpeg", ["-loglevel", "error", "-i", $"{pack}/{name}.wav", "-ac", "2", "-ar", "22050", $"{pack}/{name}.flac"], CancellationToken.None);
        Clip[] clips =
        [
            new() { Id = "a", Package = "pack", Path = "dog.flac" },
            new() { Id = "b", Package = "pack", Path = "wind.wav" },
            new() { Id = "c", Package = "pack", Path = "bell.flac" },
        ];
        ClipReader reader = new(_folder.Audio, _folder.Root, 32000);
        var batch = reader.Read(clips, 10.2, CancellationToken.None);
        for (int i = 0; i < clips.Length; i++)
            Assert.Equal(SoundFile.Load(Path.Combine(pack, clips[i].Path), new() { SampleRate = 32000 }).Samples, batch[i].Samples);
    }

    public void Dispose() => _folder.Dispose();

    private (byte[] Samples, string Index) Files(string name)
    {
        var options = _folder.Options(name);
        RenderSounds.Run(options);
        return (File.ReadAllBytes(Path.Combine(options.OutputFolder, "sounds.pcm")), File.ReadAllText(Path.Combine(options.OutputFolder, "sounds.jsonl")));
    }

    private sealed class Reporter(Action<SoundProgress> report) : IProgress<SoundProgress>
    {
        public void Report(SoundProgress value) => report(value);
    }
}
