using FlamingoSharp.Audio;
using static FlamingoSharp.Tests.Audio.WaveBytes;

namespace FlamingoSharp.Tests.Audio;

public sealed class WaveReaderTests
{
    [Theory]
    [InlineData(1, 8, new byte[] { 0, 64, 128, 255 }, new[] { -1, -0.5, 0, 127 / 128.0 })]
    [InlineData(1, 16, new byte[] { 0x00, 0x80, 0xFF, 0x7F, 0x01, 0x00 }, new[] { -1, 32767 / 32768.0, 1 / 32768.0 })]
    [InlineData(1, 24, new byte[] { 0x00, 0x00, 0x80, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF }, new[] { -1, 8388607 / 8388608.0, -1 / 8388608.0 })]
    [InlineData(1, 32, new byte[] { 0, 0, 0, 0x80, 1, 0, 0, 0 }, new[] { -1, 1 / 2147483648.0 })]
    [InlineData(1, 20, new byte[] { 0x00, 0x00, 0x40, 0xF0, 0xFF, 0xFF }, new[] { 0.5, -16 / 8388608.0 })] // left-aligned in 3 bytes
    [InlineData(3, 32, new byte[] { 0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0 }, new double[] { 1, -2 })]
    [InlineData(3, 64, new byte[] { 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0xC0 }, new double[] { 1, -2 })]
    public void Reads_every_depth_at_the_scale_of_libsndfile(int tag, int bits, byte[] data, double[] expected)
    {
        var wave = new WaveBytes { Tag = tag, Bits = bits, Data = data };
        Assert.Equal(expected, Samples(wave.ToArray()));
        Assert.Equal(expected, Samples((wave with { Extensible = true }).ToArray()));
    }

    [Theory]
    [InlineData(0)] // never written
    [InlineData(3)] // does not fit the channels
    public void A_wrong_frame_size_in_the_header_is_computed_anew(int align) =>
        Assert.Equal([0.25, -0.25], Samples(new WaveBytes { Channels = 2, Data = Pcm16(8192, -8192), BlockAlign = align }.ToArray()));

    [Fact]
    public void Bits_in_a_wider_container_are_left_aligned() =>
        Assert.Equal([0.5], Samples(new WaveBytes { Bits = 24, BlockAlign = 4, Data = [0, 0, 0, 0x40] }.ToArray()));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Passes_over_unknown_chunks_of_odd_size_with_and_without_padding(bool pad)
    {
        byte[] odd = [.. Chunk("LIST", [1, 2, 3], pad), .. Chunk("junk", new byte[100_001], pad), .. Chunk("bext", [], pad)];
        var wave = new WaveBytes { Before = odd, Between = odd, Behind = odd, Data = Pcm16(100, 200, 300) };
        foreach (var stream in BothWays(wave.ToArray()))
        {
            using var reader = WaveReader.Open(stream, "x.wav");
            Assert.Equal([100 / 32768.0, 200 / 32768.0, 300 / 32768.0], ReadAll(reader));
            Assert.Empty(reader.Warnings);
        }
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(0xFFFFFFFFu)]
    [InlineData(0x7FFFFFFFu)]
    [InlineData(0x80000000u)]
    public void A_length_that_was_never_written_means_to_the_end(uint declared)
    {
        byte[] data = Noise16(50_000);
        foreach (var stream in BothWays(new WaveBytes { Data = data, DeclaredBytes = declared }.ToArray()))
        {
            using var reader = WaveReader.Open(stream, "x.wav");
            Assert.Equal(50_000, ReadAll(reader).Length);
            Assert.Equal(50_000, reader.CountFrames(default));
            Assert.Empty(reader.Warnings);
        }
    }

    [Fact]
    public void No_samples_followed_by_other_chunks_stay_no_samples()
    {
        foreach (var stream in BothWays(new WaveBytes { Behind = Chunk("LIST", new byte[40]) }.ToArray()))
        {
            using var reader = WaveReader.Open(stream, "x.wav");
            Assert.Equal(0, reader.CountFrames(default));
        }
    }

    [Fact]
    public void A_file_that_ends_too_early_gives_what_is_there_and_says_so()
    {
        // 22 bytes short, and in the middle of a frame
        byte[] bytes = new WaveBytes { Channels = 2, Rate = 8000, Data = Noise16(16_000) }.ToArray()[..^22];
        foreach (var stream in BothWays(bytes))
        {
            using var reader = WaveReader.Open(stream, "x.wav");
            Assert.Equal((8000 - 6) * 2, ReadAll(reader).Length);
            Assert.Equal(8000 - 6, reader.CountFrames(default));
            Assert.Equal(["'x.wav' declares 1 s of sound but ends after 0.999 s; what is there was read."], reader.Warnings);
        }
    }

    [Theory]
    [InlineData("RF64")]
    [InlineData("BW64")]
    public void Reads_the_64_bit_length_of_long_files(string riff)
    {
        byte[] sizes = [.. BitConverter.GetBytes(0L), .. BitConverter.GetBytes(6L), .. BitConverter.GetBytes(3L), 0, 0, 0, 0];
        var wave = new WaveBytes { Riff = riff, Before = Chunk("ds64", sizes), Data = Pcm16(1, 2, 3), DeclaredBytes = uint.MaxValue, Behind = Chunk("LIST", new byte[40]) };
        Assert.Equal([1 / 32768.0, 2 / 32768.0, 3 / 32768.0], Samples(wave.ToArray()));
    }

    [Fact]
    public void Skips_the_same_frames_whether_or_not_the_stream_can_seek()
    {
        byte[] bytes = new WaveBytes { Channels = 3, Bits = 24, Data = Noise16(90_000) }.ToArray(); // 20,000 frames
        foreach (var stream in BothWays(bytes))
        {
            using var reader = WaveReader.Open(stream, "x.wav");
            double[] block = new double[3];
            Assert.Equal(12_345, reader.Skip(12_345, default));
            Assert.Equal(1, reader.Read(block));
            Assert.Equal(Samples(bytes)[(3 * 12_345)..(3 * 12_346)], block);
            Assert.Equal(20_000 - 12_346, reader.Skip(1_000_000, default));
            Assert.Equal(0, reader.Read(block));
        }
    }

    [Theory]
    [InlineData("'x.wav' is a WAV file that cannot be read: its header declares 0 channels.", 1, 0, 16, 44100u)]
    [InlineData("'x.wav' is a WAV file that cannot be read: its header declares a rate of 0 Hz; rates from 1000 to 1536000 Hz can be read.", 1, 1, 16, 0u)]
    [InlineData("'x.wav' is a WAV file that cannot be read: its header declares 0-bit integer samples; 8 to 32 bits of integer and 32 or 64 of float can be read.", 1, 1, 0, 44100u)]
    [InlineData("'x.wav' is a WAV file that cannot be read: its header declares 16-bit float samples; 8 to 32 bits of integer and 32 or 64 of float can be read.", 3, 1, 16, 44100u)]
    public void An_impossible_header_is_one_sentence(string message, int tag, int channels, int bits, uint rate)
    {
        byte[] bytes = new WaveBytes { Tag = tag, Channels = channels, Bits = bits, Rate = rate, Data = new byte[8] }.ToArray();
        var error = Assert.Throws<FlamingoException>(() => Samples(bytes));
        Assert.Equal((FlamingoErrorKind.Input, message), (error.Kind, error.Message));
    }

    [Fact]
    public void A_header_without_a_format_or_without_samples_is_one_sentence()
    {
        byte[] whole = new WaveBytes { Data = Pcm16(1) }.ToArray();
        byte[] formatless = [.. whole[..12], .. whole[36..]];
        Assert.Equal("'x.wav' is a WAV file that cannot be read: no 'fmt ' chunk stands before its samples.",
            Assert.Throws<FlamingoException>(() => Samples(formatless)).Message);
        for (int length = 0; length < 44; length++)
        {
            foreach (var stream in BothWays(whole[..length]))
            {
                Assert.Equal("'x.wav' is a WAV file that cannot be read: it ends before its samples; the file is cut off or its header is damaged.",
                    Assert.Throws<FlamingoException>(() => WaveReader.Open(stream, "x.wav")).Message);
            }
        }
    }

    private static IEnumerable<Stream> BothWays(byte[] bytes) => [new MemoryStream(bytes), new PipeStream(bytes)];

    private static double[] Samples(byte[] bytes)
    {
        using var reader = WaveReader.Open(new MemoryStream(bytes), "x.wav");
        return ReadAll(reader);
    }

    private static double[] ReadAll(WaveReader reader)
    {
        var all = new List<double>();
        double[] block = new double[reader.Channels * 777];
        for (int frames; (frames = reader.Read(block)) > 0;)
            all.AddRange(block[..(frames * reader.Channels)]);
        return [.. all];
    }
}
