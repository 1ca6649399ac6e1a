using System.Diagnostics;

namespace FlamingoSharp.Training.Tests.Loop;

/// <summary>A disk that really is full: a small file system in memory, where this user may mount one.</summary>
public sealed class FullDiskTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("full-").FullName;
    private readonly bool _mounted;

    public FullDiskTests() => _mounted = Command("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", _folder);

    public void Dispose()
    {
        if (_mounted)
            Command("umount", _folder);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_full_disk_stops_the_run_and_the_checkpoint_before_is_intact()
    {
        Assert.SkipUnless(_mounted, "This user may not mount a file system.");
        var whole = new Witness();
        string other = Directory.CreateTempSubdirectory("whole-").FullName;
        using (var task = new TinyTask())
            new TrainingLoop(task, Options(other)) { Observers = [whole] }.Run(TestContext.Current.CancellationToken);
        Directory.Delete(other, recursive: true);

        var options = Options(Path.Combine(_folder, "run"));
        string filler = Path.Combine(_folder, "filler");
        using (var task = new TinyTask())
        {
            var e = Assert.Throws<FlamingoException>(() =>
                new TrainingLoop(task, options) { Observers = [new Filler(filler, after: 25)] }.Run(TestContext.Current.CancellationToken));
            Assert.Matches($"^The (checkpoint of step 30|log) cannot be written: No space left on device.*\\. Make room in '{options.Folder}', then go on from step 20 with --resume\\.$", e.Message);
            Assert.Equal(FlamingoErrorKind.Input, e.Kind);
        }
        Assert.Equal(["step-10", "step-20"], Directory.EnumerateDirectories(options.Folder + "/checkpoints").Select(p => Path.GetFileName(p)).Order());

        File.Delete(filler);
        var rest = new Witness();
        using (var task = new TinyTask())
            new TrainingLoop(task, options with { Resume = true }) { Observers = [rest] }.Run(TestContext.Current.CancellationToken);
        Assert.Equal(whole.Bits.Skip(20), rest.Bits);
        Assert.Equal(40, TrainingLog.Read(options.Folder).Count(l => l.LearningRate is not null));
    }

    private static TrainingRunOptions Options(string folder) => new()
    {
        Folder = folder,
        Optimization = new OptimizationOptions { TotalSteps = 40, LearningRate = 0.02, WarmupSteps = 2 },
        ValidateEvery = 0,
        CheckpointEvery = 10,
    };

    private static bool Command(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true });
            process!.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false; // there is no such program
        }
    }

    /// <summary>Writes until nothing fits any more.</summary>
    private sealed class Filler(string path, int after) : ITrainingObserver
    {
        public void Stepped(TrainingStepReport step)
        {
            if (step.Step != after)
                return;
            try
            {
                using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
                while (true)
                    file.Write(new byte[1024]);
            }
            catch (IOException)
            {
                // Full.
            }
        }
    }
}
