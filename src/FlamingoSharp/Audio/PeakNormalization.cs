namespace FlamingoSharp.Audio;

/// <summary>Scales a signal so that its loudest sample is exactly 1 or -1, with the reference's treatment of signals that never go below 0.</summary>
internal static class PeakNormalization
{
    /// <summary>Normalises in place.</summary>
    /// <param name="signal">Finite samples of any scale.</param>
    /// <param name="single">True rounds every step to single precision, as the reference does for an mp3.</param>
    /// <remarks>
    /// A signal without a negative sample becomes 2x/max - 1: a reference quirk, that turns a constant into +1 everywhere.
    /// Digital silence would be 0/0 there, which its int16 step then turns into zeros; here it stays 0 throughout.
    /// </remarks>
    public static void Apply(Span<double> signal, bool single = false)
    {
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        foreach (double x in signal)
        {
            low = Math.Min(low, x);
            high = Math.Max(high, x);
        }
        double peak = Math.Max(Math.Abs(low), Math.Abs(high));
        if (signal.IsEmpty || peak == 0)
        {
            signal.Clear(); // also turns -0 into 0
            return;
        }

        bool neverNegative = low >= 0;
        if (single)
        {
            float scale = (float)peak;
            foreach (ref double x in signal)
                x = neverNegative ? (2 * (float)x / scale) - 1 : (float)x / scale;
        }
        else
        {
            foreach (ref double x in signal)
                x = neverNegative ? (2 * x / peak) - 1 : x / peak;
        }
    }
}
