using System.Globalization;
using FlamingoSharp.Audio;

namespace FlamingoSharp.Training.Sounds;

/// <summary>Renders recipes; the same recipe gives the same samples every time.</summary>
/// <param name="catalogue">Where compositions look up their clips.</param>
/// <param name="clips">Decodes those clips.</param>
/// <param name="audioFolder">Holds the unpacked packages, soundfonts among them.</param>
/// <param name="scratchFolder">Takes short-lived files; must exist.</param>
/// <param name="sampleRate">Of the result, in Hz.</param>
/// <param name="maxSeconds">Longest sound wanted, in seconds; what lies beyond is cut.</param>
internal sealed class RecipeRenderer(
    SoundCatalogue catalogue, ClipReader clips, string audioFolder, string scratchFolder, int sampleRate, double maxSeconds)
{
    private readonly FluidSynth _synth = new(audioFolder, scratchFolder, sampleRate);

    /// <summary>Where a composition finds clips that were already decoded; null sends it to the file.</summary>
    public Func<Clip, float[]?> Decoded { get; init; } = _ => null;

    /// <summary>Renders one recipe.</summary>
    /// <exception cref="FlamingoException">A tool, soundfont or clip is missing, or a tool fails.</exception>
    public Recording Render(Recipe recipe, CancellationToken ct) => recipe switch
    {
        MusicRecipe music => Render([music], ct)[0],
        SpokenRecipe spoken => Speak(spoken, ct),
        ToneRecipe tone => Finish(ToneGenerator.Generate(tone, sampleRate), tone),
        CompositionRecipe composition => Finish(
            Composer.Compose(composition, (part, seconds) => ReadPart(part, seconds, ct), sampleRate), composition),
        _ => throw new ArgumentOutOfRangeException(nameof(recipe), recipe.Kind, "This kind of recipe has no renderer."),
    };

    /// <summary>Renders recipes that share a soundfont in one run.</summary>
    public Recording[] Render(IReadOnlyList<MusicRecipe> recipes, CancellationToken ct) =>
        [.. _synth.Play(recipes, ct).Zip(recipes, Finish)];

    private Recording Finish(float[] samples, Recipe recipe)
    {
        int keep = Math.Min(samples.Length, (int)Math.Round(maxSeconds * sampleRate));
        return Recording.FromSamples(samples.AsSpan(0, keep), sampleRate, sampleRate, recipe.Id) with
        {
            SecondsDropped = (double)(samples.Length - keep) / sampleRate,
        };
    }

    private Recording Speak(SpokenRecipe recipe, CancellationToken ct)
    {
        string file = Path.Combine(scratchFolder, Guid.NewGuid().ToString("N") + ".wav");
        string text = recipe.Text.TrimStart('-', ' '); // a leading dash would be read as an option
        try
        {
            if (recipe.Tool == "flite")
            {
                ExternalTool.Run("flite", "flite", ["-voice", recipe.Voice, "-t", text, "-o", file], ct);
            }
            else
            {
                ExternalTool.Run("espeak-ng", "espeak-ng",
                    ["-v", recipe.Voice, "-s", Number(recipe.WordsPerMinute ?? 175), "-p", Number(recipe.Pitch ?? 50), "-w", file, text], ct);
            }
            return clips.Read(file, maxSeconds, ct);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private float[] ReadPart(CompositionPart part, double seconds, CancellationToken ct)
    {
        var clip = (Clip)catalogue[part.Ref];
        double from = part.OffsetSeconds ?? clip.StartSeconds;
        double used = clip.StartSeconds + (clip.UseSeconds ?? double.MaxValue) - from;
        double wanted = Math.Min(Math.Min(seconds, maxSeconds), used);
        if (from >= clip.StartSeconds && Decoded(clip) is { } samples)
        {
            int skip = (int)Math.Round((from - clip.StartSeconds) * sampleRate), end = skip + (int)Math.Round(wanted * sampleRate);
            // A clip that was not cut has all there is, even if that is less than wanted.
            bool whole = samples.Length < (int)Math.Round(maxSeconds * sampleRate);
            if (end <= samples.Length || (whole && skip < samples.Length))
                return samples[skip..Math.Min(samples.Length, end)];
        }
        return Array.ConvertAll(clips.Read(clip, from, wanted, ct).Samples, s => (float)s);
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
