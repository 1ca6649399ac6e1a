using FlamingoSharp.Runtime;
using static TorchSharp.torch;

namespace FlamingoSharp.Encoders;

/// <summary>Blanks stripes of time and of frequency of a normed spectrogram, in training. Defaults: HTSAT's.</summary>
/// <remarks>
/// Shapes: n sounds, f frames, m mel bands.<br/>
/// Source: SpecAugment (arXiv 1904.08779) as torchlibrosa has it: each stripe's width is drawn below the largest, then its place; the bands are
/// normed, so that 0 is their mean.
/// </remarks>
internal sealed record SpecAugment
{
    /// <summary>Stripes of time blanked in each sound.</summary>
    public int TimeStripes { get; init; } = 2;

    /// <summary>Frames that a stripe is narrower than.</summary>
    public int TimeWidth { get; init; } = 64;

    /// <summary>Stripes of frequency blanked in each sound.</summary>
    public int FrequencyStripes { get; init; } = 2;

    /// <summary>Mel bands that a stripe is narrower than.</summary>
    public int FrequencyWidth { get; init; } = 8;

    /// <summary>Draws stripes for each sound and blanks them.</summary>
    /// <param name="spectrogram">[n, f, m]</param>
    /// <returns>[n, f, m]</returns>
    public Tensor Apply(Tensor spectrogram)
    {
        using var scope = NewDisposeScope();
        long n = spectrogram.shape[0], f = spectrogram.shape[1], m = spectrogram.shape[2];
        bool[] blank = new bool[n * f * m];
        for (int sound = 0; sound < n; sound++)
        {
            var own = blank.AsSpan((int)(sound * f * m), (int)(f * m));
            for (int i = 0; i < TimeStripes; i++)
            {
                var (start, width) = Stripe(TimeWidth, (int)f);
                own.Slice(start * (int)m, width * (int)m).Fill(true);
            }
            for (int i = 0; i < FrequencyStripes; i++)
            {
                var (start, width) = Stripe(FrequencyWidth, (int)m);
                for (int frame = 0; frame < f; frame++)
                    own.Slice(frame * (int)m + start, width).Fill(true);
            }
        }
        return spectrogram.FilledWhere(tensor(blank, [n, f, m], device: spectrogram.device), 0).MoveToOuterDisposeScope();
    }

    // From torch's generator, which training seeds.
    private static (int Start, int Width) Stripe(int below, int total)
    {
        int width = Draw(Math.Min(below, total));
        return (Draw(total - width), width);
    }

    private static int Draw(int below)
    {
        using var drawn = randint(Math.Max(1, below), new long[] { 1 }, ScalarType.Int64);
        return (int)drawn.item<long>();
    }
}
