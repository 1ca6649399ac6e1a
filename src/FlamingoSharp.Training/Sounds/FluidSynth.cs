using System.Globalization;
using System.Runtime.InteropServices;

namespace FlamingoSharp.Training.Sounds;

/// <summary>Plays music recipes with fluidsynth, many in one run: loading a soundfont takes longer than playing a note.</summary>
/// <remarks>
/// The recipes are laid end to end on one MIDI track and cut apart again. Every slot begins on a whole block of the synthesiser
/// (64 samples), nothing rings over from the slot before (all sound off, no reverb, no chorus) and samples stay 32-bit floats
/// (the 16-bit output is dithered). The filter of a reused voice starts a little differently from that of a fresh one, so a recipe
/// differs alone and in company, 30 dB or more below the sound; the same company always gives the same bits.
/// </remarks>
internal sealed class FluidSynth(string audioFolder, string scratchFolder, int sampleRate)
{
    private const int BlockSamples = 64;

    private static readonly Dictionary<string, string> FileOfPackage = new()
    {
        ["fluid-soundfont-gm"] = "sf2/FluidR3_GM.sf2",
        ["timgm6mb-soundfont"] = "sf2/TimGM6mb.sf2",
        ["musescore-general-soundfont-small"] = "sf3/MuseScore_General_Lite.sf3",
    };

    /// <summary>Plays recipes of one soundfont.</summary>
    /// <returns>Mono samples a recipe, in the order given.</returns>
    /// <exception cref="FlamingoException">The soundfont or fluidsynth is missing, or fluidsynth fails.</exception>
    public float[][] Play(IReadOnlyList<MusicRecipe> recipes, CancellationToken ct)
    {
        string soundfont = Find(recipes[0].Soundfont);
        // Slots are whole multiples of a block and of a millisecond tick.
        int grid = Lcm(BlockSamples * 1000, sampleRate) / sampleRate; // ms
        MidiFile midi = new();
        long[] starts = new long[recipes.Count + 1]; // ms
        for (int i = 0; i < recipes.Count; i++)
        {
            long length = AddNotes(midi, recipes[i], starts[i]);
            starts[i + 1] = RoundUp(starts[i] + length + 100, grid);
        }

        string name = Path.Combine(scratchFolder, Guid.NewGuid().ToString("N"));
        string score = name + ".mid", sound = name + ".raw";
        try
        {
            File.WriteAllBytes(score, midi.ToBytes(starts[^1]));
            ExternalTool.Run("fluidsynth", "fluidsynth",
            [
                "-ni", "-q", "-R", "0", "-C", "0", "-g", "0.5", "-r", sampleRate.ToString(CultureInfo.InvariantCulture),
                "-o", $"synth.dynamic-sample-loading={(recipes.Count < 8 ? 1 : 0)}", "-T", "raw", "-O", "float", "-F", sound, soundfont, score,
            ], ct);
            var stereo = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(sound));
            float[][] result = new float[recipes.Count][];
            for (int i = 0; i < recipes.Count; i++)
            {
                int from = (int)(starts[i] * sampleRate / 1000);
                int count = (int)Math.Ceiling(Length(recipes[i]) * sampleRate);
                result[i] = Mono(stereo[(2 * from)..Math.Min(2 * (from + count), stereo.Length)]);
            }
            return result;
        }
        finally
        {
            File.Delete(score);
            File.Delete(sound);
        }
    }

    private static long AddNotes(MidiFile midi, MusicRecipe recipe, long start)
    {
        int channel = recipe.Program is null ? MidiFile.DrumChannel : 0;
        midi.Program(start, channel, recipe.Program ?? 0);
        foreach (var note in recipe.Notes)
            midi.Play(start + Ticks(note.StartSeconds), Ticks(note.DurationSeconds), channel, note.Key, note.Velocity);
        long length = Ticks(Length(recipe));
        midi.Silence(start + length + 50, channel);
        return length;
    }

    // A note that is let go at the very end still needs its release.
    private static double Length(MusicRecipe recipe) =>
        recipe.DurationSeconds ?? recipe.Notes.Max(n => n.StartSeconds + n.DurationSeconds) + 0.7;

    private string Find(string package)
    {
        if (!FileOfPackage.TryGetValue(package, out string? file))
        {
            throw new FlamingoException(FlamingoErrorKind.Input,
                $"The soundfont package '{package}' is unknown: expected {string.Join(", ", FileOfPackage.Keys)}.");
        }
        string[] places = [Path.Combine(audioFolder, package, "usr/share/sounds", file), Path.Combine("/usr/share/sounds", file)];
        return places.FirstOrDefault(File.Exists) ?? throw new FlamingoException(FlamingoErrorKind.Input,
            $"The soundfont '{file}' is neither at '{places[0]}' nor installed: install the package {package}.");
    }

    private static float[] Mono(ReadOnlySpan<float> stereo)
    {
        float[] mono = new float[stereo.Length / 2];
        for (int i = 0; i < mono.Length; i++)
            mono[i] = (stereo[2 * i] + stereo[2 * i + 1]) / 2;
        return mono;
    }

    private static long Ticks(double seconds) => (long)Math.Round(seconds * 1000);

    private static long RoundUp(long value, long step) => (value + step - 1) / step * step;

    private static int Lcm(int a, int b)
    {
        int x = a, y = b;
        while (y != 0)
            (x, y) = (y, x % y);
        return a / x * b;
    }
}
