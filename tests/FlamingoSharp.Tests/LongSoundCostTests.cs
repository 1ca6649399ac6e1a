using System.Diagnostics;
using System.Globalization;
using FlamingoSharp.Audio;
using FlamingoSharp.Models;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Tests;

/// <summary>
/// What long sounds cost at the real size of Audio Flamingo 2's encoder and audio transformer (1.4 GB of synthetic weights, a small
/// language model). Runs when FLAMINGO_FULLSIZE=1; FLAMINGO_WINDOWS names other numbers of windows, e.g. 3,6,12,30.
/// </summary>
[Trait("Category", "FullSize")]
public sealed class LongSoundCostTests(ITestOutputHelper output)
{
    private const double Megabyte = 1e6; // bytes

    [Fact]
    public void The_cost_of_hearing_grows_with_the_windows_and_the_memory_hardly()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("FLAMINGO_FULLSIZE") == "1", "Set FLAMINGO_FULLSIZE=1 to run; needs 4 GB of memory.");
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Peak memory is read from /proc.");
        int[] counts = [.. (Environment.GetEnvironmentVariable("FLAMINGO_WINDOWS") ?? "3,6,12").Split(',').Select(n => int.Parse(n, CultureInfo.InvariantCulture))];
        using var folder = new TinyModel(FlamingoConfig.Af2 with { Name = "af2-encoder", Language = TinyModel.Config2.Language });
        using var flamingo = Flamingo.Load(folder.Folder, new() { MaxWindows = counts.Max() });
        using (flamingo.Hear(Noise(1))) // the first run warms up
        {
        }

        var costs = counts.Select(n => Measure(flamingo, n)).ToList();
        var (least, most) = (costs[0], costs[^1]);
        double slope = most.Seconds / least.Seconds / ((double)most.Windows / least.Windows);
        Assert.InRange(slope, 0.6, 1.6); // 1 is linear; other work on the machine disturbs it
        // One channel of sound in double and in single precision, and the encodings; all windows at once would be a gigabyte more.
        double grown = most.PeakMegabytes - least.PeakMegabytes, seconds = 10 * (most.Windows - least.Windows);
        Assert.True(grown < (2 * 12 * 16000 * seconds / Megabyte) + (2 * 64 * 2048 * 4 * (most.Windows - least.Windows) / Megabyte) + 64, $"the peak grew by {grown:0} MB");
    }

    private Cost Measure(Flamingo flamingo, int windows)
    {
        var noise = Noise(windows);
        GC.Collect();
        File.WriteAllText("/proc/self/clear_refs", "5"); // the peak counts from here
        using var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        var watch = Stopwatch.StartNew();
        using var sound = flamingo.Hear(noise);
        process.Refresh();
        Assert.Equal(windows, sound.Windows);
        string peak = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        double kilobytes = double.Parse(peak.Split(' ', '\t', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        var cost = new Cost(windows, (process.TotalProcessorTime - before).TotalSeconds, kilobytes * 1024 / Megabyte);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{windows} windows: {cost.Seconds:0.00} s of processor time, {watch.Elapsed.TotalSeconds:0.00} s in all, {cost.Seconds / windows:0.000} s a window, peak {cost.PeakMegabytes:0} MB"));
        return cost;
    }

    private static Recording Noise(int windows)
    {
        var random = new Random(1);
        float[] samples = new float[windows * 160000];
        for (int i = 0; i < samples.Length; i++)
            samples[i] = (float)((random.NextDouble() * 2) - 1);
        return Recording.FromSamples(samples, 16000, 16000, "noise");
    }

    private sealed record Cost(int Windows, double Seconds, double PeakMegabytes);
}
