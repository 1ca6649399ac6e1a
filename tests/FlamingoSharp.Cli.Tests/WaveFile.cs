using System.Text;

namespace FlamingoSharp.Cli.Tests;

/// <summary>Writes WAV files of one channel at 16 kHz.</summary>
internal static class WaveFile
{
    private const int Rate = 16000;

    /// <summary>A tone of 16-bit samples.</summary>
    public static void Tone(string path, double seconds) =>
        Write(path, tag: 1, bits: 16, [.. Enumerable.Range(0, (int)(seconds * Rate)).SelectMany(i => BitConverter.GetBytes((short)(8000 * Math.Sin(i * 0.2))))]);

    /// <summary>Float samples as they are.</summary>
    public static void Floats(string path, params float[] samples) => Write(path, tag: 3, bits: 32, [.. samples.SelectMany(BitConverter.GetBytes)]);

    private static void Write(string path, short tag, short bits, byte[] data)
    {
        using var file = new BinaryWriter(File.Create(path));
        file.Write(Encoding.ASCII.GetBytes("RIFF"));
        file.Write(36 + data.Length);
        file.Write(Encoding.ASCII.GetBytes("WAVEfmt "));
        file.Write(16);
        file.Write(tag);
        file.Write((short)1);
        file.Write(Rate);
        file.Write(Rate * bits / 8);
        file.Write((short)(bits / 8));
        file.Write(bits);
        file.Write(Encoding.ASCII.GetBytes("data"));
        file.Write(data.Length);
        file.Write(data);
    }
}
