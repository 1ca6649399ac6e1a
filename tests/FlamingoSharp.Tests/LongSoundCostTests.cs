using System.Diagnostics;
using System.Globalization;
using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using FlamingoSharp.Tests.Audio;
using FlamingoSharp.Tests.Weights;

namespace FlamingoSharp.Tests;

/// <summary>
/// What long sounds cost at the real size of Audio Flamingo 2's encoder and audio transformer (1.4 GB of synthetic weights, a small
/// language model). Runs when FLAMINGO_FULLSIZE=1; FLAMINGO_WINDOWS names other numbers of windows, e.g. 3,6,12,30.
/// </summary>
[Trait("Category", "FullSize")]
public sealed class LongSoundCostTests(ITestOutputHelper output)
{
    private const double Megabyte = 1e6; // bytes
    private const int FileRate = 48000, WindowSeconds = 10;

    [Fact]
    public void The_cost_of_hearing_grows_with_the_windows_and_the_memory_hardly()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("FLAMINGO_FULLSIZE") == "1", "Set FLAMINGO_FULLSIZE=1 to run; needs 4 GB of memory.");
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Peak memory is read from /proc.");
        int[] counts = [.. (Environment.GetEnvironmentVariable("FLAMINGO_WINDOWS") ?? "3,6,12").Split(',').Select(n => int.Parse(n, CultureInfo.InvariantCulture))];
        using var files = new TemporaryFolder();
        foreach (int windows in counts.Prepend(1))
            File.WriteAllBytes(files.At($"{windows}.wav"), new WaveBytes { Channels = 2, Rate = FileRate, Data = WaveBytes.Noise16(2 * FileRate * WindowSeconds * windows) }.ToArray());
        using var folder = new TinyModel(FlamingoConfig.Af2 with { Name = "af2-encoder", Language = TinyModel.Config2.Language });
        using var flamingo = Flamingo.Load(folder.Folder, new() { MaxWindows = counts.Max() });
        Measure(flamingo, files, 1); // warms up

        var costs = counts.Select(n => Measure(flamingo, files, n)).ToList();
        var (least, most) = (costs[0], costs[^1]);
        double slope = most.Seconds / least.Seconds / ((double)most.Windows / least.Windows);
        Assert.InRange(slope, 0.6, 1.6); // 1 is linear; other work on the machine disturbs it
        // What may grow: one channel as it is in the file, at the model's rate, and in single precision; the encodings.
        double channel = WindowSeconds * ((FileRate * 8) + (16000 * (8 + 4))), encodings = 64 * 2048 * 4, allowed = 64 * Megabyte;
        Assert.InRange((most.PeakMegabytes - least.PeakMegabytes) * Megabyte, double.MinValue, ((most.Windows - least.Windows) * (channel + encodings)) + allowed);
    }

    private Cost Measure(Flamingo flamingo, TemporaryFolder files, int windows)
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        File.WriteAllText("/proc/self/clear_refs", "5"); // the peak counts from here
        using var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        var watch = Stopwatch.StartNew();
        using var sound = flamingo.Hear(files.At($"{windows}.wav"));
        process.Refresh();
        Assert.Equal(windows, sound.Windows);
        string peak = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        double kilobytes = double.Parse(peak.Split(' ', '\t', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        var cost = new Cost(windows, (process.TotalProcessorTime - before).TotalSeconds, kilobytes * 1024 / Megabyte);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{windows} windows: {cost.Seconds:0.00} s of processor time, {watch.Elapsed.TotalSeconds:0.00} s in all, {cost.Seconds / windows:0.000} s a window, peak {cost.PeakMegabytes:0} MB"));
        return cost;
    }

    private sealed record Cost(int Windows, double Seconds, double PeakMegabytes);
}
