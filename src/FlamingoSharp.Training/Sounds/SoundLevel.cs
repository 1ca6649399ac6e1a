namespace FlamingoSharp.Training.Sounds;

/// <summary>Levels of sample buffers.</summary>
internal static class SoundLevel
{
    /// <summary>Root mean square; 0 for an empty buffer.</summary>
    public static double Rms(ReadOnlySpan<float> samples)
    {
        double sum = 0;
        foreach (float s in samples)
            sum += (double)s * s;
        return samples.IsEmpty ? 0 : Math.Sqrt(sum / samples.Length);
    }

    /// <summary>Brings the peak to full scale and rounds to 16 bits the way recordings are rounded: towards zero, silence stays silence.</summary>
    public static short[] ToPeakNormalised(ReadOnlySpan<float> samples)
    {
        double peak = 0;
        foreach (float s in samples)
            peak = Math.Max(peak, Math.Abs((double)s));
        short[] result = new short[samples.Length];
        for (int i = 0; i < result.Length && peak > 0; i++)
            result[i] = (short)(Math.Clamp(samples[i] / peak, -1, 1) * short.MaxValue);
        return result;
    }
}
