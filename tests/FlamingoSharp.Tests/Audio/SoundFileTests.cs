using CsCheck;
using FlamingoSharp.Audio;
using FlamingoSharp.TestKit;
using static FlamingoSharp.Tests.Audio.WaveBytes;

namespace FlamingoSharp.Tests.Audio;

public sealed class SoundFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flamingo-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Takes_the_first_channel_and_says_what_it_did()
    {
        var recording = Load(new WaveBytes { Channels = 2, Rate = 44100, Data = Pcm16(100, 30000, -200, 30000, 50, -30000) });
        Assert.Equal([0.5, -1, 0.25], recording.Samples); // the peak of the other channel does not matter
        Assert.Equal("WAV, 44100 Hz, 2 channels, 0 s: first channel used", recording.Describe());
    }

    [Fact]
    public void Scales_by_the_peak_of_all_channels_where_it_exceeds_one()
    {
        // 0.3/3 then normalised: not the same double as 0.3/0.6 in general
        double[] left = [0.3, -0.6, 0.1], right = [3, 0, 0];
        var recording = Load(new WaveBytes { Tag = 3, Bits = 64, Channels = 2, Data = Float64([.. left.Zip(right, (l, r) => new[] { l, r }).SelectMany(p => p)]) });
        Assert.Equal([.. left.Select(x => x / 3 / (0.6 / 3))], recording.Samples);
    }

    [Fact]
    public void Silence_is_zeros() => Assert.Equal(new double[100], Load(new WaveBytes { Data = new byte[200] }).Samples);

    [Theory]
    [InlineData(0.5, 0.25, false, 4000, 2000)]
    [InlineData(0.5, 0.25, true, 4000, 4000)] // the reference reads start + duration, here to the end
    [InlineData(0.25, 0.25, true, 2000, 4000)]
    [InlineData(0.25, null, true, 2000, 6000)]
    [InlineData(0, 0.25, true, 0, 2000)]
    [InlineData(0.875, 0.25, false, 7000, 1000)]
    public void Reads_the_part_that_was_asked_for_and_reports_the_rest(double start, double? duration, bool reference, int first, int count)
    {
        var wave = new WaveBytes { Rate = 8000, Data = Noise16(8000) };
        var options = new SoundOptions { SampleRate = 8000, StartSeconds = start, DurationSeconds = duration, ReferenceReadLength = reference };
        var expected = Load(new WaveBytes { Rate = 8000, Data = wave.Data[(2 * first)..(2 * (first + count))] }, new() { SampleRate = 8000 });
        foreach (var stream in new Stream[] { new MemoryStream(wave.ToArray()), new PipeStream(wave.ToArray()) })
        {
            var recording = SoundFile.Load(stream, "x.wav", options);
            Assert.Equal(expected.Samples, recording.Samples);
            Assert.Equal((1.0, start, count / 8000.0), (recording.FileSeconds, recording.StartSeconds, recording.SecondsUsed));
            Assert.Equal(1 - start - (count / 8000.0), recording.SecondsDropped, 12);
        }
    }

    [Fact]
    public void Resamples_to_the_rate_wanted()
    {
        var recording = Load(new WaveBytes { Rate = 48000, Data = Noise16(4800) }, new() { SampleRate = 16000 });
        Assert.Equal((16000, 48000, 1600, 0.1), (recording.SampleRate, recording.SourceRate, recording.Samples.Length, recording.SecondsUsed));
        Assert.Equal(1, recording.Samples.Max(Math.Abs));
        Assert.Equal("WAV, 48000 Hz, 1 channel, 0.1 s: resampled to 16000 Hz", recording.Describe());
    }

    [Fact]
    public void What_a_model_hears_is_what_is_loaded_for_it()
    {
        var windows = new WindowOptions { SampleRate = 8000 };
        var recording = Load(new WaveBytes { Rate = 8000, Data = Noise16(8000 * 40) }, SoundOptions.For(windows));
        Assert.Equal((33.25, 6.75), (recording.SecondsUsed, recording.SecondsDropped));
        Assert.Equal(6.75, AudioWindows.Cut(recording, windows).SecondsDropped);
    }

    [Fact]
    public void Samples_in_memory_go_the_same_way_as_a_file()
    {
        float[] samples = [.. Enumerable.Range(0, 500).Select(i => MathF.Sin(i))];
        var file = Load(new WaveBytes { Tag = 3, Bits = 32, Rate = 22050, Data = Float32(samples) });
        Assert.Equal(file.Samples, Recording.FromSamples(samples, 22050).Samples);
        Assert.Equal("'samples' holds no audio: 0 samples.", Assert.Throws<FlamingoException>(() => Recording.FromSamples([], 22050)).Message);
        Assert.Equal("'mic' holds a sample that is no finite number (infinity) at 0.001 s in channel 1; export the file again.",
            Assert.Throws<FlamingoException>(() => Recording.FromSamples([0, float.PositiveInfinity], 1000, name: "mic")).Message);
    }

    [Fact]
    public void A_damaged_file_is_loaded_with_a_warning()
    {
        var recording = SoundFile.Load(new MemoryStream(new WaveBytes { Rate = 8000, Data = Noise16(8000) }.ToArray()[..^4000]), "cut.wav");
        Assert.Equal(["'cut.wav' declares 1 s of sound but ends after 0.75 s; what is there was read."], recording.Warnings);
        Assert.Equal(0.75, recording.FileSeconds);
    }

    [Fact]
    public void A_missing_file_a_folder_and_an_empty_file_are_one_sentence()
    {
        string missing = Path.Combine(_folder, "missing.wav");
        AssertInputError($"'{missing}' does not exist; check the path.", () => SoundFile.Load(missing));
        AssertInputError($"'{_folder}' is a folder, not a sound file; name a file in it.", () => SoundFile.Load(_folder));
        string empty = Write("empty.wav", []);
        AssertInputError($"'{empty}' is empty: 0 bytes.", () => SoundFile.Load(empty));
        AssertInputError("'upload' is empty: 0 bytes.", () => SoundFile.Load(new PipeStream([]), "upload"));
    }

    [Fact]
    public void A_text_file_renamed_is_recognised()
    {
        string path = Write("notes.wav", "Dear diary,\ntoday I have heard a crow — twice."u8.ToArray());
        AssertInputError($"'{path}' holds text (\"Dear diary, today I …\"), not sound; give a WAV, FLAC, Ogg, MP3 or another sound file.", () => SoundFile.Load(path));
    }

    [Fact]
    public void No_samples_are_one_sentence()
    {
        AssertInputError("'x.wav' holds no audio: 0 samples.", () => Load(new WaveBytes()));
        AssertInputError("'x.wav' holds no audio: 0 samples.", () => Load(new WaveBytes(), new() { StartSeconds = 5 }));
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.NegativeInfinity, "infinity")]
    public void Samples_that_are_no_numbers_are_refused_with_their_place(float value, string kind)
    {
        float[] samples = new float[2 * 20_000];
        samples[(2 * 17_640) + 1] = value;
        AssertInputError($"'x.wav' holds a sample that is no finite number ({kind}) at 0.4 s in channel 2; export the file again.",
            () => Load(new WaveBytes { Tag = 3, Bits = 32, Channels = 2, Data = Float32(samples) }));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1e300)]
    public void A_start_beyond_the_end_is_refused(double start)
    {
        var error = Assert.Throws<FlamingoException>(() => Load(new WaveBytes { Rate = 8000, Data = Noise16(8000) }, new() { StartSeconds = start }));
        Assert.Equal((FlamingoErrorKind.Input, $"'x.wav' is 1 s long, so nothing is left after a start at {start:0.###} s; choose an earlier start."), (error.Kind, error.Message));
    }

    [Theory]
    [InlineData(-1, null, 44100, "The start is -1 s; it must be 0 or more.")]
    [InlineData(double.NaN, null, 44100, "The start is NaN s; it must be 0 or more.")]
    [InlineData(0, 0.0, 44100, "The duration is 0 s; it must be more than 0, or left out to read to the end.")]
    [InlineData(0, 1e-9, 44100, "The duration of 1E-09 s is shorter than one sample at 44100 Hz; ask for more of 'x.wav'.")]
    [InlineData(0, null, 0, "The target rate is 0 Hz; it must lie between 1000 and 1536000 Hz.")]
    public void Options_that_make_no_sense_are_refused(double start, double? duration, int rate, string message)
    {
        var options = new SoundOptions { StartSeconds = start, DurationSeconds = duration, SampleRate = rate };
        var error = Assert.Throws<FlamingoException>(() => Load(new WaveBytes { Data = Noise16(10) }, options));
        Assert.Equal((FlamingoErrorKind.Usage, message), (error.Kind, error.Message));
    }

    [Fact]
    public void A_stream_is_read_from_where_it_stands_and_left_open()
    {
        byte[] wave = new WaveBytes { Data = Pcm16(1, -2) }.ToArray();
        using var stream = new MemoryStream([9, 9, 9, .. wave]) { Position = 3 };
        Assert.Equal([0.5, -1], SoundFile.Load(stream, "x.wav").Samples);
        Assert.True(stream.CanRead);
    }

    [Fact]
    public void Every_shipped_sample_loads()
    {
        string[] samples = Directory.GetFiles(Path.Combine(ReferenceSet.RepositoryRoot, "samples"), "*.wav");
        Assert.NotEmpty(samples);
        Assert.All(samples, path => Assert.Equal(1, SoundFile.Load(path).Samples.Max(Math.Abs)));
    }

    [Fact]
    public void Five_minutes_are_read_in_bounded_memory()
    {
        byte[] wave = new WaveBytes { Rate = 48000, Channels = 2, Data = new byte[48000 * 4 * 300] }.ToArray();
        using var stream = new PipeStream(wave);
        long before = GC.GetAllocatedBytesForCurrentThread();
        SoundFile.Load(stream, "long.wav", SoundOptions.For(new WindowOptions()), TestContext.Current.CancellationToken);
        // 33.25 s at 48 kHz are 12.8 MB of doubles, grown by doubling; the stream of 57.6 MB is never held.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 20);
    }

    /// <summary>Whatever happens to a WAV file, loading it gives a recording or a sentence.</summary>
    [Fact]
    public void Mutated_files_give_a_recording_or_a_sentence()
    {
        byte[][] seeds =
        [
            new WaveBytes { Data = Noise16(300) }.ToArray(),
            new WaveBytes { Tag = 3, Bits = 32, Channels = 2, Extensible = true, Between = Chunk("LIST", [1, 2, 3]), Data = Noise16(400) }.ToArray(),
            new WaveBytes { Riff = "RF64", Before = Chunk("ds64", [.. new byte[8], 44, 1, .. new byte[18]]), Bits = 24, Data = Noise16(300), DeclaredBytes = uint.MaxValue }.ToArray(),
        ];
        var options = new SoundOptions { SampleRate = 16000, FfmpegPath = Path.Combine(_folder, "no-ffmpeg") };
        byte[] telling = [0, 1, 0x7F, 0x80, 0xFF];
        var mutation = Gen.Select(Gen.Double.Unit, Gen.OneOf(Gen.Byte, Gen.Int[0, telling.Length - 1].Select(i => telling[i])), Gen.Int[0, 3]);
        Gen.Select(Gen.Int[0, seeds.Length - 1].Select(i => seeds[i]), mutation.Array[1, 8], Gen.Bool, Gen.Double[0, 0.01]).Sample(
            (seed, mutations, pipe, start) =>
            {
                var bytes = new List<byte>(seed);
                foreach (var (place, value, kind) in mutations)
                {
                    // Half of the time in the header, where it matters.
                    int at = (int)(place * (kind % 2 == 0 ? Math.Min(80, bytes.Count) : bytes.Count));
                    if (kind < 2 && at < bytes.Count)
                        bytes[at] = value;
                    else if (kind == 2)
                        bytes.Insert(at, value);
                    else
                        bytes.RemoveRange(at, Math.Min(value % 32, bytes.Count - at));
                }
                Stream stream = pipe ? new PipeStream([.. bytes]) : new MemoryStream([.. bytes]);
                try
                {
                    var recording = SoundFile.Load(stream, "fuzz.wav", options with { StartSeconds = start });
                    return recording.Samples.Length > 0 && recording.Samples.All(s => Math.Abs(s) <= 1);
                }
                catch (FlamingoException e)
                {
                    return e.Message.Contains("'fuzz.wav'", StringComparison.Ordinal);
                }
            },
            iter: 3000, threads: 1);
    }

    private static Recording Load(WaveBytes wave, SoundOptions? options = null) => SoundFile.Load(new MemoryStream(wave.ToArray()), "x.wav", options);

    private string Write(string name, byte[] bytes)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static void AssertInputError(string message, Action load)
    {
        var error = Assert.Throws<FlamingoException>(load);
        Assert.Equal((FlamingoErrorKind.Input, message), (error.Kind, error.Message));
    }
}
