using FlamingoSharp.Audio;
using FlamingoSharp.Embeddings;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Tests.Embeddings;

public sealed class ClapWindowsTests
{
    private const int Window = 16000;

    [Theory]
    [InlineData(ShortSoundFill.Silence, 7000)]
    [InlineData(ShortSoundFill.WholeRepeats, 14000)] // two whole ones, then silence: LAION's repeatpad
    [InlineData(ShortSoundFill.Repeats, 16000)]
    public void A_short_sound_is_filled_up_as_its_model_was_trained(ShortSoundFill fill, int end)
    {
        var window = Cut(7000, fill).Window(0);
        for (int i = 0; i < Window; i++)
            Assert.Equal(i < end ? Quantized(i % 7000) : 0, window[i]);
    }

    [Theory]
    [InlineData(16000, 1, 0)]
    [InlineData(16001, 2, 1)]       // the second window ends with the sound and shares all but one sample with the first
    [InlineData(40000, 3, 24000)]
    [InlineData(64000, 4, 48000)]
    [InlineData(99999, 4, 48000)]   // more than the model hears
    public void The_last_window_ends_with_the_sound(int samples, int count, int lastStart)
    {
        var windows = Cut(samples, ShortSoundFill.WholeRepeats);
        Assert.Equal(count, windows.Count);
        Assert.Equal(Quantized(lastStart), windows.Window(count - 1)[0]);
        Assert.Equal(Quantized(lastStart + Window - 1), windows.Window(count - 1)[^1]);
        Assert.Equal(Math.Min(samples, 4 * Window) / 16000.0, windows.SecondsHeard);
        Assert.Equal(Math.Max(0, samples - 4 * Window) / 16000.0, windows.SecondsDropped);
    }

    [Fact, NoTensorLeak]
    public void Windows_are_handed_out_in_any_part()
    {
        var windows = Cut(50000, ShortSoundFill.Silence);
        using var part = windows.ToTensor(1, 2);
        Assert.Equal([2, Window], part.shape);
        Assert.Equal(windows.Window(1).ToArray().Concat(windows.Window(2).ToArray()), part.data<float>().ToArray());
    }

    private static ClapWindows Cut(int samples, ShortSoundFill fill) =>
        new(new Recording([.. Enumerable.Range(0, samples).Select(Sample)], 16000), TinyClap.Config with { ShortSounds = fill });

    private static double Sample(int i) => 0.1 + i % 977 / 2000.0;

    private static float Quantized(int i) => (float)((short)(Sample(i) * 32767) / 32767.0);
}
