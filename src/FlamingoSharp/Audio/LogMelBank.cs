namespace FlamingoSharp.Audio;

/// <summary>The triangular filters that gather the bins of a Fourier transform into mel bands.</summary>
internal static class LogMelBank
{
    // Slaney's scale: linear up to a kilohertz, then 27 steps for each factor of 6.4.
    private const double LinearStep = 200.0 / 3;
    private const double LogStartHz = 1000;
    private static readonly double LogStep = Math.Log(6.4) / 27;

    /// <summary>Weights [bins, mels] in row-major order, computed in double and rounded as librosa 0.8 rounds.</summary>
    public static float[] Weights(MelOptions options)
    {
        int bins = options.FftSize / 2 + 1;
        double[] edges = Edges(options);
        float[] weights = new float[bins * options.Mels];
        for (int m = 0; m < options.Mels; m++)
        {
            double area = options.Scale == MelScale.Slaney ? 2 / (edges[m + 2] - edges[m]) : 1;
            for (int b = 0; b < bins; b++)
            {
                double hz = options.SampleRate / 2.0 * b / (bins - 1);
                double rising = (hz - edges[m]) / (edges[m + 1] - edges[m]);
                double falling = (edges[m + 2] - hz) / (edges[m + 2] - edges[m + 1]);
                weights[b * options.Mels + m] = (float)((float)Math.Max(0, Math.Min(rising, falling)) * area);
            }
        }
        return weights;
    }

    // Band m rises from edge m to edge m + 1 and falls to edge m + 2, in Hz; the edges are evenly spaced in mel.
    private static double[] Edges(MelOptions options)
    {
        double low = ToMel(options.MinimumHz, options.Scale);
        double high = ToMel(options.MaximumHz, options.Scale);
        return [.. Enumerable.Range(0, options.Mels + 2).Select(i => ToHz(low + (high - low) * i / (options.Mels + 1), options.Scale))];
    }

    private static double ToMel(double hz, MelScale scale) => scale switch
    {
        MelScale.Htk => 2595 * Math.Log10(1 + hz / 700),
        _ when hz < LogStartHz => hz / LinearStep,
        _ => LogStartHz / LinearStep + Math.Log(hz / LogStartHz) / LogStep,
    };

    private static double ToHz(double mel, MelScale scale) => scale switch
    {
        MelScale.Htk => 700 * (Math.Pow(10, mel / 2595) - 1),
        _ when mel < LogStartHz / LinearStep => mel * LinearStep,
        _ => LogStartHz * Math.Exp(LogStep * (mel - LogStartHz / LinearStep)),
    };
}
