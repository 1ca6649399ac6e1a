namespace FlamingoSharp.Training.Sounds;

/// <summary>Generates the tones, sweeps, noises, beeps, clicks and silences of the recipes.</summary>
/// <remarks>Square, triangle and sawtooth waves are sums of their harmonics below half the sample rate, so nothing aliases.</remarks>
internal static class ToneGenerator
{
    private const double RampSeconds = 0.005;

    /// <summary>Samples of a recipe, at the recipe's own level.</summary>
    /// <exception cref="FlamingoException">The wave is unknown, or the recipe does not say how long it lasts.</exception>
    public static float[] Generate(ToneRecipe recipe, int sampleRate)
    {
        double[] samples = recipe switch
        {
            { Sequence.Count: > 0 } => Join(recipe.Sequence.Select(s => Step(recipe.Wave, s, sampleRate))),
            { Pattern.Count: > 0 } => Join(recipe.Pattern.Select((seconds, i) =>
                Step(recipe.Wave, new(i % 2 == 0 ? recipe.FromHertz : null, seconds, recipe.GainDecibels), sampleRate))),
            { Wave: "click" } => Clicks(recipe, sampleRate),
            { Wave: "silence" } => new double[Samples(Length(recipe), sampleRate)],
            { Wave: "whitenoise" or "pinknoise" or "brownnoise" } => Noise(recipe, sampleRate),
            { FromHertz: { } from, ToHertz: { } to } => Tone(recipe.Wave, from, to, Length(recipe), recipe.GainDecibels, sampleRate),
            _ => throw new FlamingoException(FlamingoErrorKind.Input,
                $"The recipe '{recipe.Id}' has the wave '{recipe.Wave}' and no frequency: nothing to generate."),
        };
        Ramp(samples, Samples(recipe.EdgeSeconds, sampleRate), start: true, end: true);
        if (recipe.Fade is { } fade)
            Ramp(samples, samples.Length, start: fade == "in", end: fade == "out");
        return Array.ConvertAll(samples, s => (float)s);
    }

    private static double[] Step(string wave, ToneStep step, int sampleRate)
    {
        if (step.Hertz is not { } hertz)
            return new double[Samples(step.Seconds, sampleRate)];
        double[] tone = Tone(wave, hertz, hertz, step.Seconds, step.GainDecibels, sampleRate);
        Ramp(tone, Samples(RampSeconds, sampleRate), start: true, end: true);
        return tone;
    }

    private static double[] Tone(string wave, double from, double to, double seconds, double gainDecibels, int sampleRate)
    {
        double[] samples = new double[Samples(seconds, sampleRate)];
        double ratio = Math.Pow(to / from, 1.0 / Math.Max(1, samples.Length - 1));
        int harmonics = wave == "sine" ? 1 : (int)(sampleRate / 2.0 / Math.Max(from, to));
        double gain = Gain(gainDecibels), phase = 0, hertz = from;
        for (int i = 0; i < samples.Length; i++, hertz *= ratio)
        {
            samples[i] = gain * Wave(wave, phase, Math.Max(1, harmonics));
            phase += 2 * Math.PI * hertz / sampleRate;
        }
        return samples;
    }

    private static double Wave(string wave, double phase, int harmonics)
    {
        double sum = 0;
        for (int k = 1; k <= harmonics; k++)
        {
            sum += wave switch
            {
                "sine" => Math.Sin(phase),
                "square" => k % 2 == 1 ? 4 / Math.PI / k * Math.Sin(k * phase) : 0,
                "triangle" => k % 2 == 1 ? 8 / (Math.PI * Math.PI) / (k * k) * Math.Cos(k * phase) : 0,
                "sawtooth" => 2 / Math.PI / k * Math.Sin(k * phase),
                _ => throw new FlamingoException(FlamingoErrorKind.Input,
                    $"The wave '{wave}' is unknown: expected sine, square, triangle, sawtooth, whitenoise, pinknoise, brownnoise, click or silence."),
            };
        }
        return sum;
    }

    private static double[] Noise(ToneRecipe recipe, int sampleRate)
    {
        double[] samples = new double[Samples(Length(recipe), sampleRate)];
        var random = SplitMix.For(recipe.Id);
        double gain = Gain(recipe.GainDecibels), brown = 0;
        double[] rows = new double[16]; // pink noise is a sum of rows, each redrawn half as often as the one before (Voss, McCartney)
        for (int i = 0; i < samples.Length; i++)
        {
            double white = 2 * random.NextDouble() - 1;
            switch (recipe.Wave)
            {
                case "pinknoise":
                    rows[Math.Min(rows.Length - 1, System.Numerics.BitOperations.TrailingZeroCount(i + 1))] = 2 * random.NextDouble() - 1;
                    samples[i] = gain * (rows.Sum() + white) / (rows.Length + 1);
                    break;
                case "brownnoise":
                    brown = 0.998 * brown + 0.06 * white; // leaks, so that it stays around zero
                    samples[i] = gain * brown;
                    break;
                default:
                    samples[i] = gain * white;
                    break;
            }
        }
        return samples;
    }

    private static double[] Clicks(ToneRecipe recipe, int sampleRate)
    {
        double[] samples = new double[Samples(Length(recipe), sampleRate)];
        double interval = 60 / (recipe.BeatsPerMinute ?? 60), gain = Gain(recipe.GainDecibels);
        int length = Samples(0.03, sampleRate);
        for (int click = 0; click < (recipe.Clicks ?? 1); click++)
        {
            int at = Samples(click * interval, sampleRate);
            for (int i = 0; i < length && at + i < samples.Length; i++)
                samples[at + i] += gain * Math.Exp(-i / (0.004 * sampleRate)) * Math.Sin(2 * Math.PI * 1800 * i / sampleRate);
        }
        return samples;
    }

    private static void Ramp(double[] samples, int length, bool start, bool end)
    {
        length = Math.Min(length, samples.Length);
        for (int i = 0; i < length; i++)
        {
            double level = (double)i / length;
            if (start)
                samples[i] *= level;
            if (end)
                samples[^(i + 1)] *= level;
        }
    }

    private static double[] Join(IEnumerable<double[]> pieces) => [.. pieces.SelectMany(p => p)];

    private static double Gain(double decibels) => Math.Pow(10, decibels / 20);

    private static int Samples(double seconds, int sampleRate) => (int)Math.Round(seconds * sampleRate);

    private static double Length(ToneRecipe recipe) => recipe.DurationSeconds ?? throw new FlamingoException(FlamingoErrorKind.Input,
        $"The recipe '{recipe.Id}' has no duration_s: a {recipe.Wave} lasts as long as it is told to.");
}
