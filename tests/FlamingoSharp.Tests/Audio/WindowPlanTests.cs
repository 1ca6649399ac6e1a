using FlamingoSharp.Audio;

namespace FlamingoSharp.Tests.Audio;

public sealed class WindowPlanTests
{
    private static readonly WindowOptions Af2 = new() { SampleRate = 16000, LengthSeconds = 10, OverlapSeconds = 0, MaxWindows = 12, PadToMaxWindows = false };

    [Theory]
    [InlineData(0, 1, 308_700)] // silence
    [InlineData(1, 1, 308_700)]
    [InlineData(308_700, 1, 308_700)]
    [InlineData(308_701, 2, 385_875)] // past one window: a second opens
    [InlineData(385_875, 2, 385_875)]
    [InlineData(385_876, 3, 463_050)]
    [InlineData(1_389_151, 16, 1_466_325)]
    [InlineData(1_466_325, 16, 1_466_325)] // 33.25 s
    [InlineData(10_000_000, 16, 1_466_325)] // longer: capped, and the cut is reported
    public void Cuts_as_many_windows_as_the_reference(long samples, int windows, long padded)
    {
        var plan = WindowPlan.For(samples, new WindowOptions());
        Assert.Equal((windows, padded, 308_700, 77_175), (plan.Count, plan.PaddedSamples, plan.WindowSamples, plan.StepSamples));
        Assert.Equal(Math.Min(samples, padded) / 44100.0, plan.SecondsHeard);
        Assert.Equal(Math.Max(0, samples - padded) / 44100.0, plan.SecondsDropped);
    }

    [Theory]
    [InlineData(160_000, 1)]
    [InlineData(160_001, 2)]
    [InlineData(1_920_000, 12)]
    [InlineData(9_000_000, 12)]
    public void Cuts_without_overlap_as_the_second_model_does(long samples, int windows)
    {
        var plan = WindowPlan.For(samples, Af2);
        Assert.Equal((windows, windows * 160_000L), (plan.Count, plan.PaddedSamples));
    }

    [Fact]
    public void A_single_window_may_be_the_most() => Assert.Equal(1, WindowPlan.For(1_000_000, new WindowOptions { MaxWindows = 1 }).Count);

    [Fact]
    public void Another_rate_can_be_given() => Assert.Equal(7 * 16000, WindowPlan.For(5, 16000, new WindowOptions()).WindowSamples);

    [Fact]
    public void The_longest_sound_heard_is_known_beforehand()
    {
        Assert.Equal(33.25, new WindowOptions().MaxSeconds);
        Assert.Equal(120, Af2.MaxSeconds);
    }

    [Theory]
    [InlineData(7, 7, 16, "The window options do not fit: the overlap is 7 s; it must be 0 or more and shorter than the window of 7 s.")]
    [InlineData(7, -1, 16, "The window options do not fit: the overlap is -1 s; it must be 0 or more and shorter than the window of 7 s.")]
    [InlineData(0, 0, 16, "The window options do not fit: a window of 0 s holds no sample, or too many, at 44100 Hz.")]
    [InlineData(7, 0, 0, "The window options do not fit: 0 windows in 1 slots leave no room for a sound; both must be 1 or more.")]
    public void Options_that_contradict_themselves_are_refused(double length, double overlap, int most, string message)
    {
        var options = new WindowOptions { LengthSeconds = length, OverlapSeconds = overlap, MaxWindows = most };
        var error = Assert.Throws<FlamingoException>(() => WindowPlan.For(1, options));
        Assert.Equal((FlamingoErrorKind.Usage, message), (error.Kind, error.Message));
    }
}
