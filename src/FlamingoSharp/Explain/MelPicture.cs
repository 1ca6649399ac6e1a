using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using FlamingoSharp.Audio;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Explain;

/// <summary>A mel spectrogram as a picture in PNG: time from left to right, low bands at the bottom, the loudest 80 dB from dark to bright.</summary>
internal static class MelPicture
{
    private const double Range = 80; // dB below the loudest that are told apart
    private const int MostFrames = 1200;

    private static readonly (double R, double G, double B)[] s_colours = [(0, 0, 4), (81, 18, 124), (183, 55, 121), (252, 137, 97), (252, 253, 191)];

    /// <summary>Draws what a model's encoder hears of a recording.</summary>
    /// <param name="recording">The recording.</param> <param name="seconds">Seconds of it that are drawn.</param> <param name="options">The encoder's front end.</param>
    /// <returns>A data URL.</returns>
    public static string Draw(Recording recording, double seconds, MelOptions options)
    {
        int samples = Math.Max((int)Math.Min(recording.Samples.Length, seconds * recording.SampleRate), options.FftSize);
        float[] signal = new float[samples];
        for (int i = 0; i < Math.Min(samples, recording.Samples.Length); i++)
            signal[i] = (float)recording.Samples[i];
        using var scope = NewDisposeScope();
        using var mel = new LogMel(options);
        var decibels = mel.Compute(tensor(signal, [1, samples]))[0];             // [f, m]
        int frames = (int)decibels.shape[0], bands = options.Mels, step = Math.Max(1, (frames + MostFrames - 1) / MostFrames);
        float[] values = decibels.contiguous().data<float>().ToArray();
        int width = (frames + step - 1) / step;
        float loudest = values.Max();
        byte[] pixels = new byte[bands * ((width * 3) + 1)];
        for (int row = 0; row < bands; row++)
        {
            for (int column = 0; column < width; column++)
            {
                float value = float.NegativeInfinity;
                for (int frame = column * step; frame < Math.Min(frames, (column + 1) * step); frame++)
                    value = Math.Max(value, values[(frame * bands) + bands - 1 - row]);
                Colour(1 + ((value - loudest) / Range), pixels.AsSpan((row * ((width * 3) + 1)) + 1 + (column * 3), 3));
            }
        }
        return "data:image/png;base64," + Convert.ToBase64String(Png(width, bands, pixels));
    }

    private static void Colour(double share, Span<byte> pixel)
    {
        double place = Math.Clamp(share, 0, 1) * (s_colours.Length - 1);
        int at = Math.Min((int)place, s_colours.Length - 2);
        var (from, to, f) = (s_colours[at], s_colours[at + 1], place - at);
        (pixel[0], pixel[1], pixel[2]) = (Mixed(from.R, to.R), Mixed(from.G, to.G), Mixed(from.B, to.B));

        byte Mixed(double a, double b) => (byte)Math.Round(a + (f * (b - a)));
    }

    // Portable Network Graphics (ISO/IEC 15948), 8 bits for each of red, green and blue; every row begins with its filter, 0.
    private static byte[] Png(int width, int height, byte[] rows)
    {
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        byte[] header = [0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        Chunk("IHDR", header);
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
            zlib.Write(rows);
        Chunk("IDAT", packed.ToArray());
        Chunk("IEND", []);
        return file.ToArray();

        void Chunk(string type, byte[] data)
        {
            byte[] body = [.. Encoding.ASCII.GetBytes(type), .. data];
            Span<byte> number = stackalloc byte[4];
            BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
            file.Write(number);
            file.Write(body);
            var sum = new Crc32();
            sum.Append(body);
            BinaryPrimitives.WriteUInt32BigEndian(number, sum.Value);
            file.Write(number);
        }
    }
}
