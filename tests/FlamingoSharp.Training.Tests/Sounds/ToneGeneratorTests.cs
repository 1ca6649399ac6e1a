using FlamingoSharp.Training.Sounds;

namespace FlamingoSharp.Training.Tests.Sounds;

public sealed class ToneGeneratorTests
{
    private const int Rate = 32000;

    [Theory]
    [InlineData("sine")]
    [InlineData("square")]
    [InlineData("triangle")]
    [InlineData("sawtooth")]
    public void Plays_the_frequency_for_as_long_as_told(string wave)
    {
        float[] tone = ToneGenerator.Generate(Recipe(wave) with { FromHertz = 300, ToHertz = 300, DurationSeconds = 2 }, Rate);
        Assert.Equal(2 * Rate, tone.Length);
        Assert.InRange(Upcrossings(tone), 599, 601);
    }

    [Fact]
    public void Sweeps_from_one_frequency_to_the_other()
    {
        float[] sweep = ToneGenerator.Generate(Recipe("sine") with { FromHertz = 200, ToHertz = 800, DurationSeconds = 2 }, Rate);
        Assert.InRange(Upcrossings(sweep.AsSpan(0, Rate / 10)), 20, 23);
        Assert.InRange(Upcrossings(sweep.AsSpan(sweep.Length - (Rate / 10))), 75, 81);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Beeps_as_often_as_the_pattern_says(int beeps)
    {
        double[] pattern = [.. Enumerable.Range(0, (2 * beeps) - 1).Select(i => i % 2 == 0 ? 0.1 : 0.25)];
        float[] sound = ToneGenerator.Generate(Recipe("sine") with { FromHertz = 1000, ToHertz = 1000, Pattern = pattern }, Rate);
        Assert.Equal(beeps, SoundFolder.Bursts(sound, Rate));
    }

    [Fact]
    public void Clicks_at_the_tempo()
    {
        float[] sound = ToneGenerator.Generate(Recipe("click") with { BeatsPerMinute = 120, Clicks = 7, DurationSeconds = 3.5 }, Rate);
        Assert.Equal(7, SoundFolder.Bursts(sound, Rate));
    }

    [Theory]
    [InlineData("whitenoise")]
    [InlineData("pinknoise")]
    [InlineData("brownnoise")]
    public void Makes_the_same_noise_every_time_and_another_for_another_recipe(string wave)
    {
        var recipe = Recipe(wave) with { DurationSeconds = 0.5 };
        Assert.Equal(ToneGenerator.Generate(recipe, Rate), ToneGenerator.Generate(recipe, Rate));
        Assert.NotEqual(ToneGenerator.Generate(recipe, Rate), ToneGenerator.Generate(recipe with { Id = "other" }, Rate));
    }

    [Fact]
    public void Darker_noises_change_more_slowly()
    {
        double[] roughness = [.. new[] { "whitenoise", "pinknoise", "brownnoise" }.Select(wave =>
        {
            float[] noise = ToneGenerator.Generate(Recipe(wave) with { DurationSeconds = 1 }, Rate);
            return noise.Zip(noise.Skip(1), (a, b) => Math.Abs(b - a)).Average() / noise.Average(Math.Abs);
        })];
        Assert.True(roughness[0] > 1.5 * roughness[1] && roughness[1] > 1.5 * roughness[2], string.Join(", ", roughness));
    }

    [Fact]
    public void Fades_in_over_the_whole_length()
    {
        float[] noise = ToneGenerator.Generate(Recipe("whitenoise") with { DurationSeconds = 1, Fade = "in" }, Rate);
        Assert.InRange(SoundLevel.Rms(noise.AsSpan(0, Rate / 10)) / SoundLevel.Rms(noise.AsSpan(9 * Rate / 10)), 0.04, 0.08);
    }

    [Fact]
    public void Says_which_waves_there_are()
    {
        var error = Assert.Throws<FlamingoException>(() =>
            ToneGenerator.Generate(Recipe("moog") with { FromHertz = 100, ToHertz = 100, DurationSeconds = 1 }, Rate));
        Assert.Equal("The wave 'moog' is unknown: expected sine, square, triangle, sawtooth, whitenoise, pinknoise, brownnoise, click or silence.", error.Message);
    }

    private static ToneRecipe Recipe(string wave) => new() { Id = "tone", Wave = wave, GainDecibels = -8 };

    private static int Upcrossings(ReadOnlySpan<float> samples)
    {
        int count = 0;
        for (int i = 1; i < samples.Length; i++)
            count += samples[i - 1] < 0 && samples[i] >= 0 ? 1 : 0;
        return count;
    }
}
