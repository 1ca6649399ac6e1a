using System.Buffers.Binary;
using System.IO.Compression;
using FlamingoSharp.Audio;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Explain;

/// <summary>A log-mel spectrogram as a PNG picture: time to the right, low bands at the bottom, loud is bright.</summary>
internal static class SpectrogramImage
{
    private const float RangeDecibels = 80; // below the loudest point; everything softer is black

    // Dark violet over red to light yellow, evenly brighter: readable in grey and for the colour-blind.
    private static readonly (byte R, byte G, byte B)[] s_stops = [(0, 0, 4), (59, 15, 112), (140, 41, 129), (222, 73, 104), (254, 159, 109), (252, 253, 191)];

    /// <summary>Draws what an encoder's front end makes of a recording.</summary>
    /// <param name="recording">At the front end's rate.</param> <param name="seconds">Seconds of it that are drawn.</param> <param name="options">The front end.</param>
    /// <param name="mostFrames">Dots to the right at most; of more frames than that, each dot is the loudest of several.</param>
    public static byte[] Of(Recording recording, double seconds, MelOptions options, int mostFrames = 1200)
    {
        int samples = Math.Max((int)Math.Min(recording.Samples.Length, seconds * recording.SampleRate), options.FftSize);
        float[] signal = new float[samples];
        for (int i = 0; i < Math.Min(samples, recording.Samples.Length); i++)
            signal[i] = (float)recording.Samples[i];
        using var scope = NewDisposeScope();
        using var mel = new LogMel(options);
        var decibels = mel.Compute(tensor(signal, [1, samples]))[0];             // [f, m]
        int frames = (int)decibels.shape[0], bands = options.Mels, step = Math.Max(1, (frames + mostFrames - 1) / mostFrames);
        float[] values = decibels.contiguous().data<float>().ToArray();
        int width = (frames + step - 1) / step;
        float[] loudest = new float[width * bands];
        Array.Fill(loudest, float.NegativeInfinity);
        for (int i = 0; i < values.Length; i++)
        {
            ref float dot = ref loudest[(i / bands / step * bands) + (i % bands)];
            dot = Math.Max(dot, values[i]);
        }
        return Png(loudest, width, bands);
    }

    /// <summary>A picture as a page holds it.</summary>
    public static string DataUrl(byte[] png) => "data:image/png;base64," + Convert.ToBase64String(png);

    /// <summary>Draws a spectrogram, a dot a frame and band.</summary>
    /// <param name="decibels">[frames, mels]</param> <param name="frames">Frames.</param> <param name="mels">Bands.</param>
    /// <exception cref="ArgumentException">The numbers are not frames times bands.</exception>
    public static byte[] Png(ReadOnlySpan<float> decibels, int frames, int mels)
    {
        if (frames < 1 || mels < 1 || decibels.Length != frames * mels)
            throw new ArgumentException($"{decibels.Length} numbers are no {frames} frames of {mels} bands.", nameof(decibels));
        float loudest = float.MinValue;
        foreach (float value in decibels)
            loudest = Math.Max(loudest, value);
        byte[] rows = new byte[mels * (frames + 1)]; // each begins with its filter, 0 for none
        for (int band = 0; band < mels; band++)
        {
            for (int frame = 0; frame < frames; frame++)
            {
                float level = 1 + (decibels[frame * mels + band] - loudest) / RangeDecibels;
                rows[(mels - 1 - band) * (frames + 1) + 1 + frame] = (byte)(255 * Math.Clamp(level, 0, 1));
            }
        }

        using var png = new MemoryStream();
        png.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, frames);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), mels);
        (header[8], header[9]) = (8, 3); // eight bits, which number a colour of the palette
        Chunk(png, "IHDR"u8, header);
        Chunk(png, "PLTE"u8, Palette());
        using (var packed = new MemoryStream())
        {
            using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
                zlib.Write(rows);
            Chunk(png, "IDAT"u8, packed.ToArray());
        }
        Chunk(png, "IEND"u8, []);
        return png.ToArray();
    }

    private static byte[] Palette()
    {
        byte[] colours = new byte[256 * 3];
        for (int i = 0; i < 256; i++)
        {
            float at = i / 255f * (s_stops.Length - 1);
            int low = Math.Min((int)at, s_stops.Length - 2);
            var (from, to, share) = (s_stops[low], s_stops[low + 1], at - low);
            colours[3 * i] = (byte)(from.R + share * (to.R - from.R));
            colours[3 * i + 1] = (byte)(from.G + share * (to.G - from.G));
            colours[3 * i + 2] = (byte)(from.B + share * (to.B - from.B));
        }
        return colours;
    }

    private static void Chunk(MemoryStream png, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        png.Write(number);
        png.Write(name);
        png.Write(data);
        var crc = new Crc32();
        crc.Append(name);
        crc.Append(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, crc.Value);
        png.Write(number);
    }
}
