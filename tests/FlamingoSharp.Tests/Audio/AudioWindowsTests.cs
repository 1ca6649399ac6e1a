using FlamingoSharp.Audio;
using FlamingoSharp.TestKit;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Audio;

public sealed class AudioWindowsTests
{
    // 4-sample windows that move by 2, at most 3 of them
    private static readonly WindowOptions Small = new() { SampleRate = 1000, LengthSeconds = 0.004, OverlapSeconds = 0.002, MaxWindows = 3, Slots = 3 };

    [Fact, NoTensorLeak]
    public void Each_sound_owns_its_slot_and_unused_slots_are_silent_and_masked()
    {
        using var scope = NewDisposeScope();
        var windows = AudioWindows.Cut([Ramp(3), Ramp(5)], Small);
        Assert.Equal([1, 0, 0, 1, 1, 0, 0, 0, 0], windows.Mask);
        Assert.Equal((9, 4, 3), (windows.Rows, windows.WindowSamples, windows.Valid));
        Assert.Equal([1, 2, 3, 0], Steps(windows, 0)); // padded after normalisation
        Assert.Equal([1, 2, 3, 4], Steps(windows, 3));
        Assert.Equal([3, 4, 5, 0], Steps(windows, 4));
        Assert.Equal([true, false, false, true], new[] { 2, 3, 4, 8 }.Select(windows.IsSilence));

        var all = windows.ToTensor(); // [rows, samples]
        Assert.Equal([9, 4], all.shape);
        for (int row = 0; row < windows.Rows; row++)
            Assert.Equal(windows.Window(row).ToArray(), all[row].data<float>().ToArray());
        Assert.Equal([.. windows.Mask], windows.MaskTensor().data<float>().ToArray());
    }

    [Fact]
    public void Without_padding_there_are_only_windows_with_sound()
    {
        var windows = AudioWindows.Cut([Ramp(3), Ramp(5)], Small with { PadToMaxWindows = false });
        Assert.Equal([1, 1, 1], windows.Mask);
        Assert.Equal([3, 4, 5, 0], Steps(windows, 2));
    }

    [Fact]
    public void Seconds_that_are_not_heard_are_reported()
    {
        var windows = AudioWindows.Cut([Ramp(20) with { SecondsDropped = 1.5 }, Ramp(9)], Small);
        Assert.Equal(0.016, windows.SecondsHeard, 12);
        Assert.Equal(1.5 + 0.012 + 0.001, windows.SecondsDropped, 12);
    }

    [Theory]
    [InlineData(true, 9)]
    [InlineData(false, 1)]
    public void No_sound_at_all_is_silence_that_nothing_attends_to(bool pad, int rows)
    {
        var windows = AudioWindows.Cut([], Small with { PadToMaxWindows = pad });
        Assert.Equal((0, rows), (windows.Valid, windows.Rows));
        Assert.All(windows.Mask, m => Assert.Equal(0, m));
        Assert.Equal(new float[4], windows.Window(0).ToArray());
    }

    [Fact]
    public void More_sounds_than_slots_are_refused()
    {
        var error = Assert.Throws<FlamingoException>(() => AudioWindows.Cut([.. Enumerable.Repeat(Ramp(3), 5)], Small));
        Assert.Equal((FlamingoErrorKind.Usage, "The prompt holds 5 sounds but this model has room for 3; leave 2 out."), (error.Kind, error.Message));
    }

    [Fact]
    public void A_recording_of_another_rate_is_refused()
    {
        var error = Assert.Throws<FlamingoException>(() => AudioWindows.Cut(Ramp(3) with { SampleRate = 8000 }, Small));
        Assert.Equal("'ramp' is sampled at 8000 Hz but this encoder needs 1000 Hz; load it with that rate.", error.Message);
    }

    // Samples that the 16-bit step leaves as 1, 2, 3, ... thousandths of its range
    private static Recording Ramp(int samples) =>
        new([.. Enumerable.Range(1, samples).Select(i => (i + 0.5) / 32767)], 1000) { Name = "ramp" };

    private static int[] Steps(AudioWindows windows, int row) => [.. windows.Window(row).ToArray().Select(x => (int)MathF.Round(x * 32767))];
}
