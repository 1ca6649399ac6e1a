using System.Text;
using FlamingoSharp.Audio;

namespace FlamingoSharp.Explain;

/// <summary>A recording as a small WAV inside a page: one channel, 16 bits, 16 kHz, its first seconds.</summary>
internal static class PlayableSound
{
    private const int Rate = 16000;
    private const double MostSeconds = 20;

    /// <summary>The part of a file that is to be heard, as a data URL.</summary>
    /// <exception cref="FlamingoException">The file is no sound.</exception>
    public static string Of(string path, double start, double? duration, CancellationToken cancellation)
    {
        var recording = SoundFile.Load(path, new SoundOptions
        {
            SampleRate = Rate,
            StartSeconds = start,
            DurationSeconds = Math.Min(duration ?? MostSeconds, MostSeconds),
        }, cancellation);
        using var memory = new MemoryStream();
        using (var file = new BinaryWriter(memory, Encoding.ASCII, leaveOpen: true))
        {
            int bytes = recording.Samples.Length * sizeof(short);
            file.Write("RIFF"u8);
            file.Write(36 + bytes);
            file.Write("WAVEfmt "u8);
            file.Write(16);
            file.Write((short)1);
            file.Write((short)1);
            file.Write(Rate);
            file.Write(Rate * sizeof(short));
            file.Write((short)sizeof(short));
            file.Write((short)16);
            file.Write("data"u8);
            file.Write(bytes);
            foreach (double sample in recording.Samples)
                file.Write((short)(Math.Clamp(sample, -1, 1) * 0.8 * short.MaxValue));
        }
        return "data:audio/wav;base64," + Convert.ToBase64String(memory.ToArray());
    }
}
