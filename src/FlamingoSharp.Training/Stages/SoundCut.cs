using System.Runtime.InteropServices;
using System.Text.Json;
using FlamingoSharp.Audio;
using FlamingoSharp.Embeddings;

namespace FlamingoSharp.Training.Stages;

/// <summary>How sound files become windows of samples: as the model in use cuts them.</summary>
/// <param name="Read">Gives [windows, samples] of a part of a file, at most so many windows.</param>
/// <param name="Describe">Says all that the windows depend on beside the file, for at most so many of them.</param>
internal sealed record SoundCut(Func<SoundPart, int, float[,]> Read, Func<int, string> Describe)
{
    /// <summary>The windows of an Audio Flamingo model, those that fill up left out.</summary>
    public static SoundCut Of(WindowOptions options)
    {
        WindowOptions For(int maxWindows) => options with { PadToMaxWindows = false, Slots = 1, MaxWindows = maxWindows };
        return new SoundCut(
            (sound, maxWindows) =>
            {
                var windows = For(maxWindows);
                double longest = Math.Min(windows.MaxSeconds, sound.Duration ?? windows.MaxSeconds);
                var cut = AudioWindows.Cut(SoundFile.Load(sound.Path, SoundOptions.For(windows, sound.Start, longest)), windows);
                return Rows(cut.Rows, cut.WindowSamples, cut.Window);
            },
            maxWindows => JsonSerializer.Serialize(For(maxWindows)));
    }

    /// <summary>The windows of a CLAP model.</summary>
    public static SoundCut Of(ClapConfig config) => new(
        (sound, maxWindows) =>
        {
            var form = config with { MaxWindows = maxWindows };
            var cut = new ClapWindows(
                SoundFile.Load(sound.Path, new SoundOptions
                {
                    SampleRate = form.Audio.SampleRate,
                    StartSeconds = sound.Start,
                    DurationSeconds = Math.Min(form.MaxSeconds, sound.Duration ?? form.MaxSeconds),
                }),
                form);
            return Rows(cut.Count, form.Audio.WindowSamples, cut.Window);
        },
        maxWindows => $"clap {config.Audio.SampleRate} {config.Audio.WindowSamples} {config.ShortSounds} {maxWindows}");

    private delegate ReadOnlySpan<float> Window(int row);

    private static float[,] Rows(int count, int samples, Window window)
    {
        float[,] rows = new float[count, samples];
        for (int row = 0; row < count; row++)
            window(row).CopyTo(MemoryMarshal.CreateSpan(ref rows[row, 0], samples));
        return rows;
    }
}
