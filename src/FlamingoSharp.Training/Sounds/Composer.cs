namespace FlamingoSharp.Training.Sounds;

/// <summary>Puts catalogue clips together: repeated, in sequence, or in front of a background.</summary>
internal static class Composer
{
    /// <summary>Renders a composition.</summary>
    /// <param name="recipe">What to put together.</param>
    /// <param name="read">Gives the samples of a part, from its offset on, at most as many seconds as given.</param>
    /// <param name="sampleRate">Of all parts and of the result, in Hz.</param>
    /// <returns>Mono samples; the sum is not normalised.</returns>
    public static float[] Compose(CompositionRecipe recipe, Func<CompositionPart, double, float[]> read, int sampleRate)
    {
        List<(int At, float[] Samples)> placed = [];
        foreach (var part in recipe.Parts)
        {
            float[] samples = read(part, part.DurationSeconds ?? double.MaxValue);
            if (part.DurationSeconds is { } seconds)
                samples = Loop(samples, (int)Math.Round(seconds * sampleRate));
            if (recipe.Composition == CompositionKind.Mix)
                Scale(samples, part.GainDecibels);
            placed.Add(((int)Math.Round(part.StartSeconds * sampleRate), samples));
        }

        float[] sum = new float[placed.Max(p => p.At + p.Samples.Length)];
        foreach (var (at, samples) in placed)
        {
            for (int i = 0; i < samples.Length; i++)
                sum[at + i] += samples[i];
        }
        return sum;
    }

    private static float[] Loop(float[] samples, int count)
    {
        float[] result = new float[count];
        for (int i = 0; i < count && samples.Length > 0; i++)
            result[i] = samples[i % samples.Length];
        return result;
    }

    // Equal RMS first, then the part's own gain; silence has no level to bring anywhere.
    private static void Scale(float[] samples, double gainDecibels)
    {
        double rms = SoundLevel.Rms(samples);
        double scale = rms > 0 ? Math.Pow(10, gainDecibels / 20) / rms : 0;
        for (int i = 0; i < samples.Length; i++)
            samples[i] = (float)(samples[i] * scale);
    }
}
