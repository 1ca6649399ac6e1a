using System.Diagnostics;
using FlamingoSharp.Audio;
using static FlamingoSharp.Tests.Audio.WaveBytes;

namespace FlamingoSharp.Tests.Audio;

/// <summary>These run the real ffmpeg, on files that it has made itself.</summary>
public sealed class FfmpegReaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flamingo-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("flac", 16, "FLAC")]
    [InlineData("flac", 24, "FLAC")]
    [InlineData("aiff", 16, "AIFF")]
    [InlineData("aiff", 24, "AIFF")]
    [InlineData("caf", 16, "CAF")]
    [InlineData("au", 16, "AU")]
    [InlineData("w64", 24, "Wave64")]
    [InlineData("m4a", 16, "MP4")] // ALAC
    [InlineData("mka", 16, "Matroska/WebM")] // FLAC
    [InlineData("wv", 24, "WavPack")]
    public void Lossless_formats_equal_the_wav_bit_for_bit(string extension, int bits, string format)
    {
        string wav = WriteWave(new WaveBytes { Channels = 2, Bits = bits, Data = Noise16(48_000) });
        string codec = extension switch
        {
            "flac" or "mka" => "flac",
            "m4a" => "alac",
            "wv" => "wavpack",
            "aiff" or "au" => $"pcm_s{bits}be",
            _ => $"pcm_s{bits}le",
        };
        string sampleFormat = (extension, bits) switch
        {
            ("m4a", _) => "s16p",
            ("wv", _) => "s32p",
            (_, 24) => "s32",
            _ => "s16",
        };
        string other = Convert(wav, $"same.{extension}", "-c:a", codec, "-sample_fmt", sampleFormat);
        var recording = SoundFile.Load(other);
        Assert.Equal(SoundFile.Load(wav).Samples, recording.Samples);
        Assert.Equal((format, 44100, 2), (recording.Format, recording.SourceRate, recording.SourceChannels));
        Assert.Empty(recording.Warnings);
    }

    [Theory]
    [InlineData("ogg", "libvorbis", "Ogg")]
    [InlineData("opus", "libopus", "Ogg")]
    [InlineData("webm", "libopus", "Matroska/WebM")]
    [InlineData("m4a", "aac", "MP4")]
    [InlineData("aac", "aac", "AAC")]
    [InlineData("mp3", "libmp3lame", "MP3")]
    [InlineData("wav", "adpcm_ms", "WAV with the codec Microsoft ADPCM")]
    [InlineData("wav", "pcm_alaw", "WAV with the codec A-law")]
    [InlineData("wav", "pcm_mulaw", "WAV with the codec mu-law")]
    public void Lossy_formats_sound_like_the_wav(string extension, string codec, string format)
    {
        string wav = WriteWave(Tone(48000, seconds: 1.5));
        var original = SoundFile.Load(wav);
        var decoded = SoundFile.Load(Convert(wav, $"like.coded.{extension}", "-c:a", codec, "-b:a", "192k"));
        Assert.Equal(format, decoded.Format);
        Assert.InRange(decoded.FileSeconds, 1.45, 1.6);
        // Encoders delay the sound; the best lag within 50 ms must fit well.
        double best = Enumerable.Range(-2205, 4411).Max(lag => Correlation(original.Samples, decoded.Samples, lag));
        Assert.InRange(best, 0.99, 1.0001);
    }

    [Fact]
    public void The_content_decides_not_the_name()
    {
        string wav = WriteWave(Tone(44100));
        string lying = Path.Combine(_folder, "really-flac.wav");
        File.Move(Convert(wav, "x.flac"), lying);
        Assert.Equal("FLAC", SoundFile.Load(lying).Format);
        string alsoLying = Path.Combine(_folder, "really-wav.mp3");
        File.Copy(wav, alsoLying);
        Assert.Equal("WAV", SoundFile.Load(alsoLying).Format);
    }

    [Theory]
    [InlineData("-i.flac")]
    [InlineData("http:x.flac")]
    [InlineData("file name'\"$(x);&%d [é].flac")]
    public void Any_file_name_is_only_a_name(string name)
    {
        string wav = WriteWave(Tone(44100));
        string path = Path.Combine(_folder, name);
        File.Move(Convert(wav, "x.flac"), path);
        string relative = Path.GetRelativePath(Environment.CurrentDirectory, path);
        Assert.Equal(SoundFile.Load(wav).Samples, SoundFile.Load(relative).Samples);
    }

    [Fact]
    public void Streams_are_decoded_too_and_leave_nothing_behind()
    {
        string wav = WriteWave(Tone(44100));
        byte[] m4a = File.ReadAllBytes(Convert(wav, "x.m4a", "-c:a", "alac")); // its index stands at the end
        string[] before = Directory.GetFiles(Path.GetTempPath(), "flamingo-*");
        Assert.Equal(SoundFile.Load(wav).Samples, SoundFile.Load(new PipeStream(m4a), "upload.m4a").Samples);
        Assert.Equal(SoundFile.Load(wav).Samples, SoundFile.Load(new MemoryStream(m4a), "upload.m4a").Samples);
        Assert.Equal(before, Directory.GetFiles(Path.GetTempPath(), "flamingo-*"));
    }

    [Theory]
    [InlineData(0.25, 0.5, false)]
    [InlineData(0.25, 0.5, true)]
    public void Start_and_duration_are_exact(double start, double duration, bool reference)
    {
        string wav = WriteWave(new WaveBytes { Rate = 16000, Data = Noise16(48_000) });
        var options = new SoundOptions { SampleRate = 16000, StartSeconds = start, DurationSeconds = duration, ReferenceReadLength = reference };
        var expected = SoundFile.Load(wav, options);
        var recording = SoundFile.Load(Convert(wav, "x.flac"), options);
        Assert.Equal(expected.Samples, recording.Samples);
        Assert.Equal((expected.FileSeconds, expected.SecondsUsed, expected.SecondsDropped), (recording.FileSeconds, recording.SecondsUsed, recording.SecondsDropped));
    }

    [Fact]
    public void The_length_of_a_container_that_does_not_tell_it_is_counted()
    {
        string wav = WriteWave(Tone(44100, seconds: 3));
        string adts = Convert(wav, "x.aac", "-c:a", "aac");
        var recording = SoundFile.Load(adts, new SoundOptions { DurationSeconds = 1 });
        Assert.Equal(1, recording.SecondsUsed);
        Assert.InRange(recording.FileSeconds, 2.99, 3.1);
        Assert.Equal(recording.FileSeconds - 1, recording.SecondsDropped, 9);
    }

    [Fact]
    public void A_start_beyond_the_end_is_refused()
    {
        string flac = Convert(WriteWave(Tone(44100)), "x.flac");
        Assert.Equal($"'{flac}' is 1 s long, so nothing is left after a start at 2 s; choose an earlier start.",
            Assert.Throws<FlamingoException>(() => SoundFile.Load(flac, new SoundOptions { StartSeconds = 2 })).Message);
    }

    [Fact]
    public void An_mp3_is_mixed_down_in_16_bits_and_single_precision()
    {
        string mp3 = StereoMp3();
        var recording = SoundFile.Load(mp3);
        short[] pcm = DecodeTo16Bits(mp3);
        float[] mixed = [.. Enumerable.Range(0, pcm.Length / 2).Select(i => (float)Math.Floor((pcm[2 * i] + pcm[(2 * i) + 1]) / 2.0) / 32767)];
        float peak = mixed.Max(MathF.Abs);
        Assert.Equal([.. mixed.Select(x => (double)(x / peak))], recording.Samples);
        Assert.Equal("MP3, 44100 Hz, 2 channels", recording.Describe()[..25]);
        Assert.EndsWith("channels mixed down", recording.Describe(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.5, 0.75, false, 0.5, 0.75)]
    [InlineData(0.5, 0.75, true, 0.5, 0.75)] // longer than 1.25 s: cut as asked
    [InlineData(0.5, 5.0, true, 0, 2)] // not longer: the reference ignores the start
    [InlineData(0.5, 5.0, false, 0.5, 1.5)]
    public void An_mp3_is_cut_by_a_rule_of_its_own(double start, double duration, bool reference, double first, double seconds)
    {
        string mp3 = StereoMp3();
        var recording = SoundFile.Load(mp3, new SoundOptions { StartSeconds = start, DurationSeconds = duration, ReferenceReadLength = reference });
        Assert.Equal(first, recording.StartSeconds);
        Assert.InRange(recording.SecondsUsed, seconds, seconds + 0.03);
        var whole = SoundFile.Load(mp3);
        int at = (int)(first * 44100);
        double scale = whole.Samples[at + 5000] / recording.Samples[5000];
        for (int i = 0; i < recording.Samples.Length; i += 997)
            Assert.Equal(whole.Samples[at + i], recording.Samples[i] * scale, 1e-6);
    }

    [Fact]
    public void A_missing_ffmpeg_is_explained_with_what_was_found()
    {
        string flac = Convert(WriteWave(Tone(44100)), "x.flac");
        string missing = Path.Combine(_folder, "no-such-ffmpeg");
        var error = Assert.Throws<FlamingoException>(() => SoundFile.Load(flac, new SoundOptions { FfmpegPath = missing }));
        Assert.Equal(FlamingoErrorKind.Input, error.Kind);
        Assert.Equal($"'{flac}' is FLAC; reading it needs ffmpeg, and '{missing}' cannot be started. Install it (Debian, Ubuntu: apt install ffmpeg; "
            + "macOS: brew install ffmpeg; Windows: winget install ffmpeg), name it with FLAMINGO_FFMPEG, or convert the file to WAV.", error.Message);
    }

    [Fact]
    public void The_environment_can_name_another_ffmpeg()
    {
        string flac = Convert(WriteWave(Tone(44100)), "x.flac");
        string? before = Environment.GetEnvironmentVariable(SoundOptions.FfmpegVariable);
        Environment.SetEnvironmentVariable(SoundOptions.FfmpegVariable, Path.Combine(_folder, "elsewhere"));
        try
        {
            Assert.Contains("elsewhere' cannot be started", Assert.Throws<FlamingoException>(() => SoundFile.Load(flac)).Message, StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable(SoundOptions.FfmpegVariable, before);
        }
    }

    [Fact]
    public void What_is_no_sound_is_one_sentence_with_what_ffmpeg_says()
    {
        NeedFfmpeg();
        byte[] noise = new byte[5000];
        new Random(3).NextBytes(noise);
        string path = Path.Combine(_folder, "noise.ogg");
        File.WriteAllBytes(path, noise);
        Assert.StartsWith($"'{path}' (of an unknown format) cannot be decoded: ffmpeg says \"",
            Assert.Throws<FlamingoException>(() => SoundFile.Load(path)).Message, StringComparison.Ordinal);

        string picture = Path.Combine(_folder, "silent.mkv");
        Run("-f", "lavfi", "-i", "color=s=16x16:d=0.2", "-c:v", "rawvideo", picture);
        Assert.Equal($"'{picture}' (Matroska/WebM) cannot be decoded: it holds no sound.",
            Assert.Throws<FlamingoException>(() => SoundFile.Load(picture)).Message);
    }

    [Fact]
    public void A_playlist_that_names_other_files_is_not_followed()
    {
        NeedFfmpeg();
        string flac = Convert(WriteWave(Tone(44100)), "secret.flac");
        // the zero byte keeps it from being taken for text
        string list = Path.Combine(_folder, "list.ogg");
        File.WriteAllBytes(list, [.. System.Text.Encoding.UTF8.GetBytes($"ffconcat version 1.0\nfile {Path.GetFileName(flac)}\n"), 0]);
        Assert.Contains("cannot be decoded", Assert.Throws<FlamingoException>(() => SoundFile.Load(list)).Message, StringComparison.Ordinal);
        File.WriteAllText(list, $"ffconcat version 1.0\nfile {Path.GetFileName(flac)}\n");
        Assert.Contains("holds text", Assert.Throws<FlamingoException>(() => SoundFile.Load(list)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_file_gives_what_could_be_decoded_and_a_warning()
    {
        string mp3 = StereoMp3();
        byte[] bytes = File.ReadAllBytes(mp3);
        new Random(5).NextBytes(bytes.AsSpan(bytes.Length / 2, 3000));
        File.WriteAllBytes(mp3, bytes);
        var recording = SoundFile.Load(mp3);
        Assert.StartsWith($"'{mp3}' is damaged; what could be decoded was read (ffmpeg: ", Assert.Single(recording.Warnings), StringComparison.Ordinal);
        Assert.InRange(recording.FileSeconds, 1.5, 2.1);
    }

    [Fact]
    public void Cancelling_kills_ffmpeg()
    {
        string flac = Convert(WriteWave(Tone(44100)), "x.flac");
        // Stands in for an ffmpeg that never answers.
        string stuck = Path.Combine(_folder, "stuck");
        File.WriteAllText(stuck, "#!/bin/sh\necho $$ > \"$0.pid\"\nexec sleep 600\n");
        if (OperatingSystem.IsWindows())
            return;
        File.SetUnixFileMode(stuck, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        using var source = new CancellationTokenSource();
        var loading = Task.Run(() => SoundFile.Load(flac, new SoundOptions { FfmpegPath = stuck }, source.Token));
        Assert.True(SpinWait.SpinUntil(() => { Thread.Sleep(10); return File.Exists($"{stuck}.pid") && new FileInfo($"{stuck}.pid").Length > 0; }, 10_000));
        int id = int.Parse(File.ReadAllText($"{stuck}.pid"), System.Globalization.CultureInfo.InvariantCulture);
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => loading.GetAwaiter().GetResult());
        Assert.Throws<ArgumentException>(() => Process.GetProcessById(id));
    }

    private static WaveBytes Tone(int rate, double seconds = 1)
    {
        // a sweep, so that only one lag fits
        double Phase(double t) => 2 * Math.PI * ((300 * t) + (400 * t * t));
        return new() { Rate = (uint)rate, Data = Pcm16([.. Enumerable.Range(0, (int)(rate * seconds)).Select(i => (short)(20000 * Math.Sin(Phase((double)i / rate))))]) };
    }

    private static double Correlation(double[] a, double[] b, int lag)
    {
        double ab = 0, aa = 0, bb = 0;
        for (int i = 10_000; i < Math.Min(a.Length, b.Length) - 10_000; i += 7)
        {
            ab += a[i] * b[i + lag];
            aa += a[i] * a[i];
            bb += b[i + lag] * b[i + lag];
        }
        return ab / Math.Sqrt(aa * bb);
    }

    private string StereoMp3()
    {
        short[] left = [.. Enumerable.Range(0, 88_200).Select(i => (short)(9000 * Math.Sin(i * 0.05)))];
        short[] right = [.. Enumerable.Range(0, 88_200).Select(i => (short)(15000 * Math.Sin(i * 0.031)))];
        string wav = WriteWave(new WaveBytes { Channels = 2, Data = Pcm16([.. left.Zip(right, (l, r) => new[] { l, r }).SelectMany(p => p)]) });
        return Convert(wav, "stereo.mp3", "-c:a", "libmp3lame", "-b:a", "128k", "-joint_stereo", "0");
    }

    private short[] DecodeTo16Bits(string path)
    {
        string raw = Path.Combine(_folder, "raw.s16");
        Run("-i", path, "-f", "s16le", raw);
        return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, short>(File.ReadAllBytes(raw)).ToArray();
    }

    private string WriteWave(WaveBytes wave)
    {
        string path = Path.Combine(_folder, "source.wav");
        File.WriteAllBytes(path, wave.ToArray());
        return path;
    }

    private string Convert(string from, string name, params string[] arguments)
    {
        string to = Path.Combine(_folder, name);
        Run(["-i", from, .. arguments, to]);
        return to;
    }

    private static void NeedFfmpeg() => Run("-version");

    private static void Run(params string[] arguments)
    {
        var start = new ProcessStartInfo("ffmpeg", ["-nostdin", "-v", "error", "-y", .. arguments]) { RedirectStandardError = true, RedirectStandardOutput = true };
        try
        {
            using var process = Process.Start(start)!;
            process.StandardOutput.ReadToEndAsync();
            string errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, errors);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("This test needs the ffmpeg executable.");
        }
    }
}
