using System.IO.Compression;
using FlamingoSharp.Audio;
using FlamingoSharp.Explain;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Tests.Explain;

public sealed class SpectrogramImageTests
{
    [Fact]
    public void A_spectrogram_is_a_picture_with_low_bands_at_the_bottom()
    {
        float[] mel = new float[3 * 2]; // 3 frames of 2 bands
        Array.Fill(mel, -100f);
        mel[1 * 2 + 0] = 0; // frame 1, low band
        byte[] png = SpectrogramImage.Png(mel, 3, 2);
        Assert.Equal([0x89, 0x50, 0x4E, 0x47], png[..4]);
        Assert.Equal([0, 0, 0, 0, /* low band: */ 0, 0, 255, 0], Pixels(png, 8));
    }

    [Fact]
    [NoTensorLeak]
    public void A_long_sound_is_drawn_by_the_loudest_of_neighbouring_frames()
    {
        var options = new MelOptions { SampleRate = 16000, FftSize = 512, Hop = 160, Mels = 16, MaximumHz = 8000 };
        float[] samples = new float[32000]; // 2 s: 201 frames
        samples[24000] = 1; // a click in the middle of the last quarter
        byte[] png = SpectrogramImage.Of(Recording.FromSamples(samples, 16000, 16000, "a click"), 2, options, mostFrames: 10);
        Assert.Equal([0, 0, 0, 10], png[16..20]); // its width: every dot stands for 21 frames
        Assert.Equal([0, 0, 0, 16], png[20..24]);
        byte[] rows = Pixels(png, 16 * 11);
        for (int band = 0; band < 16; band++)
            Assert.Equal(7, Array.IndexOf(rows, rows.Skip(band * 11).Take(11).Max(), band * 11) - (band * 11) - 1); // frame 150 of 201
    }

    private static byte[] Pixels(byte[] png, int count)
    {
        int at = png.AsSpan().IndexOf("IDAT"u8) + 4;
        using var zlib = new ZLibStream(new MemoryStream(png[at..]), CompressionMode.Decompress);
        byte[] rows = new byte[count];
        zlib.ReadExactly(rows);
        return rows;
    }
}
