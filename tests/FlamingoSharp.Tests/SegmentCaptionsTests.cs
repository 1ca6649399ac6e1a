using System.Diagnostics;
using FlamingoSharp.Audio;
using FlamingoSharp.Generation;
using FlamingoSharp.TestKit;
using FlamingoSharp.Tests.Audio;
using FlamingoSharp.Tests.Weights;
using FlamingoSharp.Text;

namespace FlamingoSharp.Tests;

/// <summary>Moving over a long sound: every segment is answered as if it were alone.</summary>
public sealed class SegmentCaptionsTests : IClassFixture<SegmentCaptionsTests.Fixture>
{
    private static readonly GenerationOptions s_short = new() { MaxNewTokens = 8 };
    private readonly Fixture _fixture;

    public SegmentCaptionsTests(Fixture fixture) => _fixture = fixture;

    private Flamingo Flamingo => _fixture.Flamingo;

    [Theory]
    [InlineData(2, 0, null, 1)]
    [InlineData(2, 0, null, 3)] // answered together
    [InlineData(1.3, 1.25, null, 2)]
    [InlineData(1.5, 2, 4.0, 1)] // an end of its own
    public async Task Every_segment_is_answered_as_if_it_were_loaded_alone(double seconds, double start, double? duration, int batch)
    {
        string file = _fixture.Sound("sound.wav", seconds: 7.3, rate: 44100);
        var options = new SegmentOptions { Seconds = seconds, StartSeconds = start, DurationSeconds = duration, Batch = batch };
        var answers = await AllAsync(file, options);
        double end = Math.Min(7.3, start + (duration ?? 100));
        Assert.Equal((int)Math.Ceiling((end - start) / seconds), answers.Count);
        for (int i = 0; i < answers.Count; i++)
        {
            double from = start + (i * seconds), length = Math.Min(seconds, end - from);
            using var alone = Flamingo.Hear(file, from, length);
            Assert.Equal((i, from, from + length), (answers[i].Index, Math.Round(answers[i].StartSeconds, 4), Math.Round(answers[i].EndSeconds, 3)), new About());
            Assert.Equal(Flamingo.Caption(alone, s_short).Text, answers[i].Text);
            Assert.Equal((alone.SecondsHeard, 0), (answers[i].Answer.SecondsHeard, answers[i].Answer.SecondsDropped));
        }
    }

    [Fact]
    public async Task A_run_that_begins_later_gives_the_same_answers()
    {
        string file = _fixture.Sound("sound.wav", seconds: 7.3, rate: 44100);
        var all = await AllAsync(file, new SegmentOptions { Seconds = 2 });
        var later = await AllAsync(file, new SegmentOptions { Seconds = 2, First = 2 });
        Assert.Equal(all.Skip(2).Select(Told), later.Select(Told));
        Assert.Empty(await AllAsync(file, new SegmentOptions { Seconds = 2, First = 4 }));
    }

    [Theory]
    [InlineData(4.3, 2)] // the rest of 0.3 s is too short to be told
    [InlineData(4.6, 3)]
    [InlineData(0.3, 1)] // but not where it is all there is
    public async Task A_short_rest_is_left_out(double seconds, int segments) =>
        Assert.Equal(segments, (await AllAsync(_fixture.Sound("rest.wav", seconds, 8000), new SegmentOptions { Seconds = 2 })).Count);

    [Fact]
    public async Task Another_task_than_a_caption_may_be_set()
    {
        string file = _fixture.Sound("sound.wav", seconds: 7.3, rate: 44100);
        using var alone = Flamingo.Hear(file, 0, 2);
        var task = TaskPrompts.Question("what is it?");
        Assert.Equal(Flamingo.Ask(task, alone, s_short).Text, (await AllAsync(file, new SegmentOptions { Seconds = 2, DurationSeconds = 2 }, task))[0].Text);
    }

    [Theory]
    [InlineData(2.6, 0, 1, "A segment is 2.6 s long; this model takes segments from 1 to 2.5 s.")]
    [InlineData(0.5, 0, 1, "A segment is 0.5 s long; this model takes segments from 1 to 2.5 s.")]
    [InlineData(double.NaN, 0, 1, "A segment is NaN s long; this model takes segments from 1 to 2.5 s.")]
    [InlineData(2, -1, 1, "The start is -1 s; it must be 0 or more.")]
    [InlineData(2, 0, 0, "The first segment is 0 and 0 are answered together; they must be at least 0 and 1.")]
    public async Task Options_that_do_not_fit_are_refused(double seconds, double start, int batch, string message)
    {
        var error = await Assert.ThrowsAsync<FlamingoException>(() =>
            AllAsync("sound.wav", new SegmentOptions { Seconds = seconds, StartSeconds = start, Batch = batch }));
        Assert.Equal(message, error.Message);
    }

    [Fact]
    public async Task A_file_without_sound_at_the_start_is_refused_as_when_it_is_loaded()
    {
        string file = _fixture.Sound("short.wav", seconds: 2, rate: 8000);
        var error = await Assert.ThrowsAsync<FlamingoException>(() => AllAsync(file, new SegmentOptions { Seconds = 2, StartSeconds = 3 }));
        Assert.Equal($"'{file}' is 2 s long, so nothing is left after a start at 3 s; choose an earlier start.", error.Message);
        Assert.Equal(error.Message, Assert.Throws<FlamingoException>(() => Flamingo.Hear(file, 3)).Message);
    }

    [Theory]
    [InlineData("flac", "flac")]
    [InlineData("ogg", "libvorbis")]
    [InlineData("opus", "libopus")]
    [InlineData("mp3", "libmp3lame")]
    [InlineData("w64", "pcm_s24le")]
    [InlineData("m4a", "aac")] // not sought: its decoder fills in noise that depends on what came before
    [InlineData("mka", "flac")] // not sought: its time stamps are milliseconds
    public void A_place_far_ahead_is_sought_and_holds_the_very_same_samples(string extension, string codec)
    {
        string file = _fixture.Compressed(extension, codec, seconds: 150);
        double[] Read(params long[] skips)
        {
            var (reader, _) = SoundFile.Open(file, null, default);
            using (reader)
            {
                foreach (long skip in skips)
                    Assert.Equal(skip, reader.Skip(skip, default));
                double[] samples = new double[20_000 * reader.Channels];
                Assert.Equal(20_000, reader.Read(samples));
                return samples;
            }
        }
        long far = 120 * 48_000 + 123;
        Assert.Equal(Read(1, far - 1), Read(far)); // after the first step it is read through
    }

    [Fact]
    public void A_start_beyond_the_end_of_a_compressed_file_is_told_with_its_length()
    {
        string file = _fixture.Compressed("flac", "flac", seconds: 150);
        var error = Assert.Throws<FlamingoException>(() => SoundFile.Load(file, new SoundOptions { StartSeconds = 151 }));
        Assert.Equal($"'{file}' is 150 s long, so nothing is left after a start at 151 s; choose an earlier start.", error.Message);
    }

    private static (int, double, double, string) Told(TimedAnswer answer) => (answer.Index, answer.StartSeconds, answer.EndSeconds, answer.Text);

    private async Task<List<TimedAnswer>> AllAsync(string file, SegmentOptions options, TaskPrompt? task = null)
    {
        var answers = new List<TimedAnswer>();
        await foreach (var answer in Flamingo.CaptionSegmentsAsync(file, options, task, s_short))
            answers.Add(answer);
        return answers;
    }

    private sealed class About : IEqualityComparer<(int, double, double)>
    {
        public bool Equals((int, double, double) x, (int, double, double) y) =>
            x.Item1 == y.Item1 && Math.Abs(x.Item2 - y.Item2) < 1e-3 && Math.Abs(x.Item3 - y.Item3) < 1e-3;

        public int GetHashCode((int, double, double) obj) => obj.Item1;
    }

    /// <summary>The tiny model, and a folder of sounds.</summary>
    public sealed class Fixture : IDisposable
    {
        private readonly TinyModel _model = new();
        private readonly TemporaryFolder _folder = new();

        public Fixture() => Flamingo = Flamingo.Load(_model.Folder);

        public Flamingo Flamingo { get; }

        /// <summary>Noise that grows louder and softer, so that segments differ.</summary>
        public string Sound(string name, double seconds, int rate)
        {
            string path = _folder.At($"{seconds}-{name}");
            var random = new Random(1);
            short[] samples = new short[(int)Math.Round(seconds * rate)];
            for (int i = 0; i < samples.Length; i++)
                samples[i] = (short)(random.Next(-20_000, 20_000) * Math.Abs(Math.Sin(i * (1 + (i / (double)rate)) / rate)));
            File.WriteAllBytes(path, new WaveBytes { Rate = (uint)rate, Data = WaveBytes.Pcm16(samples) }.ToArray());
            return path;
        }

        /// <summary>The same at 48 kHz, compressed by the real ffmpeg.</summary>
        public string Compressed(string extension, string codec, double seconds)
        {
            string path = _folder.At($"{seconds}.{extension}");
            if (File.Exists(path))
                return path;
            string wav = Sound("source.wav", seconds, 48_000);
            try
            {
                using var ffmpeg = Process.Start("ffmpeg", ["-loglevel", "error", "-nostdin", "-i", wav, "-c:a", codec, path]);
                ffmpeg.WaitForExit();
                Assert.Equal(0, ffmpeg.ExitCode);
            }
            catch (System.ComponentModel.Win32Exception)
            {
                Assert.Skip("ffmpeg is not installed");
            }
            return path;
        }

        public void Dispose()
        {
            Flamingo.Dispose();
            _model.Dispose();
            _folder.Dispose();
        }
    }
}
