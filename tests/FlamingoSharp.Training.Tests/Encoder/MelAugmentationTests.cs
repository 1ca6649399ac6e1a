namespace FlamingoSharp.Training.Tests.Encoder;

public class MelAugmentationTests
{
    private const int Frames = 200, Mels = 16;

    // Nothing is varied; each test switches one thing on.
    private static readonly MelAugmentationOptions s_none = new()
    {
        MixChance = 0,
        GainDecibels = 0,
        RollFrames = 0,
        ReverbChance = 0,
        TimeMasks = (0, 0),
        FrequencyMasks = (0, 0),
        LowPassChance = 0,
        TiltDecibels = 0,
        FilterChance = 0,
        HighPassChance = 0,
        WarpChance = 0,
        NoiseChance = 0,
    };

    [Fact]
    public void With_everything_switched_off_a_spectrogram_stays_as_it_is()
    {
        float[] mel = Sound(0, 50);
        Vary(s_none, mel, seed: 1);
        Assert.Equal(Sound(0, 50), mel);
    }

    [Fact]
    public void A_filter_bends_the_spectrum_within_its_bounds_and_leaves_silence_silent()
    {
        HashSet<float> gains = [];
        for (int seed = 0; seed < 20; seed++)
        {
            float[] mel = Sound(10, 50), before = Sound(10, 50);
            Vary(s_none with { FilterChance = 1, FilterDecibels = 6 }, mel, seed);
            Assert.All(Enumerable.Range(0, mel.Length).Where(i => before[i] <= MelAugmentation.Floor), i => Assert.Equal(MelAugmentation.Floor, mel[i]));
            float[] curve = [.. Enumerable.Range(0, Mels).Select(m => mel[20 * Mels + m] - before[20 * Mels + m])];
            Assert.All(curve, gain => Assert.InRange(gain, -6.001f, 6.001f));
            Assert.True(curve.Max() - curve.Min() > 0.1, "flat");
            Assert.All(Enumerable.Range(10, 40), f => Assert.Equal(curve[3], mel[f * Mels + 3] - before[f * Mels + 3], 4)); // the same at all times
            gains.Add(curve[^1]);
        }
        Assert.True(gains.Count > 15, $"only {gains.Count} filters in 20 draws");
    }

    [Fact]
    public void Noise_that_drowns_a_sound_is_as_loud_as_it_or_louder_by_no_more_than_it_may()
    {
        HashSet<int> levels = [];
        for (int seed = 0; seed < 20; seed++)
        {
            float[] mel = Sound(10, 50);
            float own = Enumerable.Range(0, Frames).Max(f => MelAugmentation.MeanLevel(mel.AsSpan(f * Mels, Mels)));
            new MelAugmentation(s_none with { DrownedDecibels = 12, TiltDecibels = 0 }, Frames, Mels).Drown(mel, new Random(seed));
            float noise = MelAugmentation.MeanLevel(mel.AsSpan(100 * Mels)); // the sound is over by then
            Assert.InRange(noise - own, -1, 13); // a band varies by 4 dB, its mean power by less than 1
            levels.Add((int)noise);
        }
        Assert.True(levels.Count > 5, $"{levels.Count} levels");
    }

    [Fact]
    public void A_rolled_sound_is_all_there_elsewhere()
    {
        var starts = new HashSet<int>();
        for (int seed = 0; seed < 20; seed++)
        {
            float[] mel = Sound(0, 50);
            Vary(s_none with { RollFrames = Frames - 1 }, mel, seed);
            Assert.Equal(50 * Mels, mel.Count(v => v > MelAugmentation.Floor));
            starts.Add(Array.FindIndex(mel, v => v > MelAugmentation.Floor));
        }
        Assert.True(starts.Count > 10, $"only {starts.Count} positions in 20 draws");
    }

    [Fact]
    public void Speed_changes_the_length_but_never_loses_the_end()
    {
        var lengths = new HashSet<int>();
        for (int seed = 0; seed < 40; seed++)
        {
            float[] mel = Sound(0, 180);
            mel.AsSpan(177 * Mels, 3 * Mels).Fill(40); // a last click, of 3 frames
            Vary(s_none with { WarpChance = 1, WarpFactor = 1.5, WarpBands = 0 }, mel, seed);
            Assert.True(mel.Max() > 0, "the click at the end is gone"); // nothing else is above -20
            lengths.Add(MelAugmentation.Heard(mel, Mels));
        }
        Assert.InRange(lengths.Max(), 185, Frames);
        Assert.InRange(lengths.Min(), 120, 150);
    }

    [Fact]
    public void A_room_goes_on_sounding_after_the_sound_and_not_before()
    {
        float[] mel = Sound(50, 100);
        Vary(s_none with { ReverbChance = 1, ReverbSeconds = (1, 1) }, mel, seed: 3);
        Assert.All(mel[..(50 * Mels)], v => Assert.Equal(MelAugmentation.Floor, v, 1e-3f));
        // 60 dB quieter after 1 s of frames of 20 ms: 12 dB in 10 frames.
        float soon = mel[101 * Mels], later = mel[111 * Mels];
        Assert.True(soon > -60, $"{soon} dB just after the sound");
        Assert.Equal(12, soon - later, 0.1f);
    }

    [Fact]
    public void Two_sounds_add_their_power()
    {
        float[] mel = Sound(0, 50);
        new MelAugmentation(s_none with { MixMinimumDecibels = 0 }, Frames, Mels).Mix(mel, Sound(0, 50), new Random(1));
        Assert.Equal(-20 + 3.0103f, mel[0], 1e-3f);
        Assert.Equal(-20, MelAugmentation.PowerSum(-20, -80), 1e-3f);
    }

    [Fact]
    public void Noise_lies_under_silence_and_leaves_the_sound_on_top()
    {
        float[] mel = Sound(0, 50);
        Vary(s_none with { NoiseChance = 1, NoiseDecibels = (-60, -60) }, mel, seed: 5);
        Assert.InRange(mel[(100 * Mels)..].Average(), -65, -55);
        Assert.InRange(mel[..(50 * Mels)].Average(), -20.5, -19.5);
    }

    private static void Vary(MelAugmentationOptions options, float[] mel, int seed) => new MelAugmentation(options, Frames, Mels).Vary(mel, new Random(seed));

    // -20 dB in all bands from one frame to another; silence elsewhere.
    private static float[] Sound(int first, int end)
    {
        float[] mel = new float[Frames * Mels];
        Array.Fill(mel, MelAugmentation.Floor);
        mel.AsSpan(first * Mels, (end - first) * Mels).Fill(-20);
        return mel;
    }
}
