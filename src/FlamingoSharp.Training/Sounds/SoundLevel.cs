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

    /// <summary>Rounds to 16 bits as windows are rounded before encoding: towards zero.</summary>
    /// <param name="samples">In [-1, 1].</param>
    public static short[] ToInt16(ReadOnlySpan<double> samples)
    {
        short[] result = new short[samples.Length];
        for (int i = 0; i < result.Length; i++)
            result[i] = (short)(Math.Clamp(samples[i], -1, 1) * short.MaxValue);
        return result;
    }
}
