using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Training.Tests.Sounds;

namespace FlamingoSharp.Training.Tests.Mini;

public sealed class MelSheetTests : IDisposable
{
    private readonly SoundFolder _folder = new();
    private readonly MelStore _mels;

    public MelSheetTests()
    {
        RenderSounds.Run(_folder.Options("sounds"));
        BuildMels.Run(new() { SoundFolder = Path.Combine(_folder.Root, "sounds"), OutputFolder = Path.Combine(_folder.Root, "mels") });
        _mels = MelStore.Open(Path.Combine(_folder.Root, "mels"));
    }

    private int Bands => _mels.Options.Mel.Mels;

    [Fact]
    public void A_sound_that_is_not_varied_is_its_stored_windows()
    {
        float[] laid = new MelSheet(_mels, new()).Lay("long_1", Variation.None, new Random(1)).Mels;
        Assert.Equal(2 * _mels.Options.WindowValues, laid.Length);
        Assert.All(Enumerable.Range(0, _mels.Options.WindowValues - Bands), i => Assert.Equal((float)_mels.Read("long_1", 0)[i], laid[i]));
        // The border frame is kept once, from the second window.
        Assert.Equal(_mels.Read("long_1", 1)[^Bands..].ToArray().Select(h => (float)h), laid[^Bands..]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public void A_sound_put_down_n_times_is_heard_n_times(int n)
    {
        var sheet = new MelSheet(_mels, new() { NoiseChance = 0, ReverbChance = 0, LowPassChance = 0, HighPassChance = 0, FrequencyMasks = (0, 0) });
        PlacedSound[] parts = [.. Enumerable.Range(0, n).Select(i => new PlacedSound("dog_1", i * 90))];
        foreach (var variation in new[] { Variation.None, Variation.Surroundings, Variation.Gentle })
            Assert.Equal(n, Bursts(sheet.Lay(parts, variation, new Random(n)).Mels));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Each_part_is_heard_where_the_sheet_says(bool varied)
    {
        var sheet = new MelSheet(_mels, new() { NoiseChance = 0, ReverbChance = 0, LowPassChance = 0, HighPassChance = 0, FrequencyMasks = (0, 0), WarpChance = 1 });
        PlacedSound[] parts = [new("dog_1", 20), new("bell_1", 150), new("dog_1", 330)];
        HashSet<int> starts = [];
        for (int seed = 0; seed < 10; seed++)
        {
            var laid = sheet.Lay(parts, varied ? Variation.Gentle : Variation.None, new Random(seed));
            Assert.Equal(parts.Select(p => p.Id), laid.Parts.Select(p => p.Id));
            starts.Add(laid.Parts[0].First);
            // Nothing but digital silence is outside, nothing but sound (it fades) at the beginning of each part.
            int frames = _mels.Options.Frames;
            for (int f = 0; f < laid.Mels.Length / _mels.Options.WindowValues * (frames - 1); f++)
            {
                float loudest = laid.Mels.AsSpan((f / (frames - 1) * frames + f % (frames - 1)) * Bands, Bands).ToArray().Max();
                if (!laid.Parts.Any(p => f >= p.First - 1 && f <= p.End + 1))
                    Assert.Equal(MelAugmentation.Floor, loudest);
                if (laid.Parts.Any(p => f == p.First + 2))
                    Assert.True(loudest > -20, $"frame {f}: {loudest} dB");
            }
        }
        Assert.InRange(starts.Count, varied ? 4 : 1, varied ? 10 : 1);
    }

    [Fact]
    public void Of_a_part_only_the_beginning_is_heard_where_that_is_wanted()
    {
        var laid = new MelSheet(_mels, new()).Lay([new("wind_1", 5, FirstFrames: 10), new("wind_1", 60, FirstFrames: 10)], Variation.None, new Random(1));
        Assert.Equal([("wind_1", 5, 15), ("wind_1", 60, 70)], laid.Parts.Select(p => (p.Id, p.First, p.End)));
        for (int f = 0; f < 100; f++)
            Assert.Equal(f is >= 5 and < 15 or >= 60 and < 70, laid.Mels.AsSpan(f * Bands, Bands).ToArray().Max() > MelAugmentation.Floor);
    }

    [Fact]
    public void What_is_drowned_is_under_noise_from_the_first_frame_to_the_last()
    {
        var sheet = new MelSheet(_mels, new() { NoiseChance = 0 });
        Assert.Contains(MelAugmentation.Floor, sheet.Lay("dog_1", Variation.None, new Random(1)).Mels);
        Assert.DoesNotContain(MelAugmentation.Floor, sheet.Lay("dog_1", Variation.None, new Random(1), drowned: true).Mels);
        Assert.DoesNotContain(MelAugmentation.Floor, sheet.Lay([new("dog_1", 0)], Variation.Gentle, new Random(1), drowned: true).Mels);
    }

    [Fact]
    public void A_background_is_as_long_as_it_should_be_and_quieter_than_what_stands_before_it()
    {
        float[] laid = new MelSheet(_mels, new()).Lay(
            [new("wind_1", 0, -20, Levelled: true, LoopFrames: 200), new("bell_1", 100, 0, Levelled: true)], Variation.None, new Random(1)).Mels;
        Assert.Equal(200, MelAugmentation.Heard(laid, Bands));
        double behind = Loudest(laid, 20, 90), front = Loudest(laid, 100, 115);
        Assert.InRange(front - behind, 8, 40);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _mels.Dispose();
        _folder.Dispose();
    }

    private double Loudest(float[] mel, int first, int end) => mel[(first * Bands)..(end * Bands)].Max();

    // Stretches of frames within 25 dB of the loudest, at least 0.2 s apart. Windows share their border frame.
    private int Bursts(float[] windows)
    {
        int frames = _mels.Options.Frames, bursts = 0, quiet = 1000;
        float loudest = windows.Max();
        for (int w = 0; w < windows.Length / _mels.Options.WindowValues; w++)
        {
            for (int f = w == 0 ? 0 : 1; f < frames; f++)
            {
                bool loud = windows.AsSpan((w * frames + f) * Bands, Bands).ToArray().Max() > loudest - 25;
                if (loud && quiet > 10)
                    bursts++;
                quiet = loud ? 0 : quiet + 1;
            }
        }
        return bursts;
    }
}
