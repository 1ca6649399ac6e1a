namespace FlamingoSharp.Training;

/// <summary>Varies log-mel spectrograms, so that an encoder learns the sound and not the recording.</summary>
/// <remarks>Spectrograms are [frames, mels] in decibels, row-major; silence is <see cref="Floor"/>.</remarks>
internal sealed class MelAugmentation(MelAugmentationOptions options, int frames, int mels)
{
    /// <summary>Decibels of digital silence.</summary>
    public const float Floor = -100;

    /// <summary>Varies one sound in place: loudness, spectrum, position, and silenced bands.</summary>
    /// <returns>How many times faster it has become; 1 where speed was left alone.</returns>
    public double Vary(Span<float> mel, Random random)
    {
        Roll(mel, random.Next(options.RollFrames + 1));
        double speed = random.NextDouble() < options.WarpChance ? Warp(mel, random) : 1;
        if (random.NextDouble() < options.ReverbChance)
            Reverberate(mel, random);
        Tilt(mel, random);
        if (random.NextDouble() < options.LowPassChance)
            Silence(mel, 0, frames, random.Next(mels * 5 / 8, mels), mels);
        if (random.NextDouble() < options.HighPassChance)
            Silence(mel, 0, frames, 0, random.Next(1, mels / 4));
        if (random.NextDouble() < options.NoiseChance)
            AddNoise(mel, random);
        for (int i = 0; i < options.TimeMasks.Count; i++)
        {
            int width = random.Next(options.TimeMasks.Width + 1), start = random.Next(frames - width);
            Silence(mel, start, start + width, 0, mels);
        }
        for (int i = 0; i < options.FrequencyMasks.Count; i++)
        {
            int width = random.Next(options.FrequencyMasks.Width + 1), start = random.Next(mels - width);
            Silence(mel, 0, frames, start, start + width);
        }
        return speed;
    }

    /// <summary>Drowns a sound in steady noise that is as loud as it is, or up to <see cref="MelAugmentationOptions.DrownedDecibels"/> louder.</summary>
    public void Drown(Span<float> mel, Random random)
    {
        float loudest = Floor;
        for (int t = 0; t < frames; t++)
            loudest = Math.Max(loudest, MeanLevel(mel.Slice(t * mels, mels)));
        AddNoise(mel, loudest + random.NextDouble() * options.DrownedDecibels, random);
    }

    /// <summary>Decibels of the mean power.</summary>
    public static float MeanLevel(ReadOnlySpan<float> mel)
    {
        double sum = 0;
        foreach (float value in mel)
            sum += Math.Pow(10, value / 10);
        return (float)(10 * Math.Log10(Math.Max(1e-10, sum / mel.Length)));
    }

    /// <summary>True when a second sound is to be added to this one.</summary>
    public bool DrawMix(Random random) => random.NextDouble() < options.MixChance;

    /// <summary>Adds the power of another sound at a random loudness.</summary>
    public void Mix(Span<float> mel, ReadOnlySpan<float> other, Random random)
    {
        float gain = (float)(options.MixMinimumDecibels * random.NextDouble());
        for (int i = 0; i < mel.Length; i++)
            mel[i] = PowerSum(mel[i], other[i] + gain);
    }

    public static float PowerSum(float a, float b)
    {
        float high = Math.Max(a, b), difference = Math.Abs(a - b);
        // Beyond 40 dB the quieter one adds less than 0.001 dB.
        return difference > 40 ? high : high + 10 * MathF.Log10(1 + MathF.Pow(10, -difference / 10));
    }

    // What leaves at the end comes back at the beginning.
    private void Roll(Span<float> mel, int by)
    {
        if (by == 0)
            return;
        float[] end = mel[((frames - by) * mels)..].ToArray();
        mel[..((frames - by) * mels)].CopyTo(mel[(by * mels)..]);
        end.CopyTo(mel);
    }

    /// <summary>Frames up to the last one that is not digital silence.</summary>
    public static int Heard(ReadOnlySpan<float> mel, int mels)
    {
        int last = mel.LastIndexOfAnyExcept(Floor);
        return last < 0 ? 0 : last / mels + 1;
    }

    // Faster or slower, and higher or lower, each on its own; never so slow that the end is lost.
    private double Warp(Span<float> mel, Random random)
    {
        double speed = Math.Pow(options.WarpFactor, 2 * random.NextDouble() - 1);
        speed = Math.Max(speed, (double)Heard(mel, mels) / frames);
        int shift = random.Next(-options.WarpBands, options.WarpBands + 1);
        float[] source = mel.ToArray();
        for (int t = 0; t < frames; t++)
        {
            double at = t * speed;
            int before = (int)at, after = before + 1;
            if (after >= frames)
            {
                mel[(t * mels)..].Fill(Floor);
                break;
            }
            float share = (float)(at - before);
            for (int m = 0; m < mels; m++)
            {
                int band = Math.Clamp(m + shift, 0, mels - 1);
                float a = source[before * mels + band], b = source[after * mels + band];
                mel[t * mels + m] = a + share * (b - a);
            }
        }
        return speed;
    }

    // A room: what was heard goes on, ever more quietly, under what follows.
    private void Reverberate(Span<float> mel, Random random)
    {
        var (least, most) = options.ReverbSeconds;
        double seconds = least * Math.Pow(most / least, random.NextDouble());
        float kept = (float)Math.Pow(10, -6 * options.FrameSeconds / seconds); // 60 dB quieter after that time
        float wet = (float)Math.Pow(10, -random.NextDouble());
        Span<float> tail = stackalloc float[mels];
        tail.Clear();
        for (int i = 0; i < mel.Length; i++)
        {
            ref float under = ref tail[i % mels];
            float direct = mel[i] > Floor ? MathF.Pow(10, mel[i] / 10) : 0, heard = direct + wet * under;
            under = kept * (under + direct);
            mel[i] = heard > 0 ? Math.Max(Floor, 10 * MathF.Log10(heard)) : Floor;
        }
    }

    // A steady floor under everything, so that the silence of a studio or of a file is no mark of its source.
    private void AddNoise(Span<float> mel, Random random)
    {
        var (least, most) = options.NoiseDecibels;
        AddNoise(mel, least + random.NextDouble() * (most - least), random);
    }

    private void AddNoise(Span<float> mel, double level, Random random)
    {
        double slope = Normal(random) * 2 * options.TiltDecibels;
        Span<float> floor = stackalloc float[mels];
        for (int m = 0; m < mels; m++)
            floor[m] = (float)(level + slope * (2.0 * m / (mels - 1) - 1));
        for (int i = 0; i < mel.Length; i++)
        {
            // A band of noise varies by a few decibels from frame to frame.
            float noise = floor[i % mels] + (float)(4 * (random.NextDouble() + random.NextDouble() - 1));
            mel[i] = PowerSum(mel[i], Math.Max(Floor, noise));
        }
    }

    private void Tilt(Span<float> mel, Random random)
    {
        double gain = (2 * random.NextDouble() - 1) * options.GainDecibels;
        double slope = Normal(random) * options.TiltDecibels, bow = Normal(random) * options.TiltDecibels;
        Span<float> change = stackalloc float[mels];
        for (int m = 0; m < mels; m++)
        {
            double place = 2.0 * m / (mels - 1) - 1;
            change[m] = (float)(gain + slope * place + bow * (place * place - 0.5));
        }
        if (random.NextDouble() < options.FilterChance)
            AddFilter(change, random);
        for (int i = 0; i < mel.Length; i++)
        {
            if (mel[i] > Floor)
                mel[i] = Math.Max(Floor, mel[i] + change[i % mels]);
        }
    }

    // Straight lines between a few random gains, as the resonances of a loudspeaker or a room would be (FilterAugment, arXiv 2110.03282).
    private void AddFilter(Span<float> change, Random random)
    {
        float Gain() => (float)((2 * random.NextDouble() - 1) * options.FilterDecibels);
        float gain = Gain();
        for (int first = 0; first < mels - 1;)
        {
            int end = Math.Min(mels - 1, first + random.Next(mels / 8, mels / 2));
            float next = Gain();
            for (int m = first; m < end; m++)
                change[m] += gain + (next - gain) * (m - first) / (end - first);
            (first, gain) = (end, next);
        }
        change[mels - 1] += gain;
    }

    private void Silence(Span<float> mel, int firstFrame, int endFrame, int firstBand, int endBand)
    {
        for (int t = firstFrame; t < endFrame; t++)
            mel.Slice(t * mels + firstBand, endBand - firstBand).Fill(Floor);
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
