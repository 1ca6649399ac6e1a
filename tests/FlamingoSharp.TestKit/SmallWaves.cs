using System.Text;

namespace FlamingoSharp.TestKit;

/// <summary>Small WAV files of 16-bit samples, for tests that need many that differ.</summary>
public static class SmallWaves
{
    /// <summary>Rate of the files, in Hz.</summary>
    public const int Rate = 16000;

    /// <summary>Writes a tone whose loudness over time is a pattern of its seed.</summary>
    /// <param name="path">Folders are made.</param> <param name="seed">Sounds of one seed are the same, byte for byte.</param>
    /// <param name="like">Sounds with the same number here are much alike; null makes one like no other.</param> <param name="seconds">How long.</param>
    public static void Write(string path, int seed, int? like = null, double seconds = 0.25)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var own = new Random(seed);
        var shared = new Random(like ?? -1 - seed);
        double[] pattern = [.. Enumerable.Range(0, 16).Select(_ => shared.NextDouble() + (0.15 * own.NextDouble()))];
        short[] samples = new short[(int)(seconds * Rate)];
        for (int i = 0; i < samples.Length; i++)
            samples[i] = (short)(12000 * pattern[i * pattern.Length / samples.Length] * Math.Sin(i * 0.3));
        using var file = new BinaryWriter(File.Create(path));
        int bytes = samples.Length * sizeof(short);
        file.Write(Encoding.ASCII.GetBytes("RIFF"));
        file.Write(36 + bytes);
        file.Write(Encoding.ASCII.GetBytes("WAVEfmt "));
        file.Write(16);
        file.Write((short)1);
        file.Write((short)1);
        file.Write(Rate);
        file.Write(2 * Rate);
        file.Write((short)2);
        file.Write((short)16);
        file.Write(Encoding.ASCII.GetBytes("data"));
        file.Write(bytes);
        foreach (short sample in samples)
            file.Write(sample);
    }
}
