using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using FlamingoSharp.Runtime;
using FlamingoSharp.TestKit;
using FlamingoSharp.Tests.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Runtime;

public sealed partial class NativeRuntimeTests
{
    [Fact, NoTensorLeak]
    public void Torch_computes_after_loading()
    {
        Assert.NotNull(NativeRuntime.Current);
        using var scope = NewDisposeScope();
        Assert.Equal(8.0, ones(2, 2).matmul(ones(2, 2)).sum().ToDouble());
    }

    [Fact]
    public void The_trace_names_every_library_and_what_was_decided_on_threads()
    {
        var current = NativeRuntime.Current!;
        Assert.Contains(current.Trace, line => line.EndsWith("libtorch_cpu.so: loaded", StringComparison.Ordinal));
        Assert.Contains(current.Trace, line => line.StartsWith("OMP_WAIT_POLICY=", StringComparison.Ordinal) || line.StartsWith("GOMP_SPINCOUNT=", StringComparison.Ordinal));
        Assert.Equal(current.Patched, current.TorchSharpLibrary!.Contains("native", StringComparison.Ordinal) && !current.TorchSharpLibrary.Contains("runtimes", StringComparison.Ordinal));
        Assert.Same(current, NativeRuntime.EnsureLoaded("/another/libtorch"));
    }

    [Fact]
    public void Waiting_threads_sleep_unless_the_user_has_a_say()
    {
        string? policy = Environment.GetEnvironmentVariable("OMP_WAIT_POLICY"), spin = Environment.GetEnvironmentVariable("GOMP_SPINCOUNT");
        try
        {
            var trace = new List<string>();
            Environment.SetEnvironmentVariable("OMP_WAIT_POLICY", "active");
            NativeRuntime.LetThreadsSleep(trace);
            Environment.SetEnvironmentVariable("OMP_WAIT_POLICY", null);
            Environment.SetEnvironmentVariable("GOMP_SPINCOUNT", "7");
            NativeRuntime.LetThreadsSleep(trace);
            Environment.SetEnvironmentVariable("GOMP_SPINCOUNT", null);
            NativeRuntime.LetThreadsSleep(trace);
            Assert.Equal(["OMP_WAIT_POLICY=active: set by the user", "GOMP_SPINCOUNT=7: set by the user", "OMP_WAIT_POLICY=PASSIVE: set"], trace);
            Assert.Equal("PASSIVE", Marshal.PtrToStringUTF8(NativeVariable("OMP_WAIT_POLICY")));
        }
        finally
        {
            Environment.SetEnvironmentVariable("OMP_WAIT_POLICY", policy);
            Environment.SetEnvironmentVariable("GOMP_SPINCOUNT", spin);
        }
    }

    [Fact]
    public void A_named_libtorch_that_is_not_there_is_refused_by_its_name()
    {
        var e = Assert.Throws<FlamingoException>(() => NativeRuntime.FindLibTorch("/no/such/libtorch", []));
        Assert.Equal(FlamingoErrorKind.Device, e.Kind);
        Assert.Equal("There is no folder '/no/such/libtorch' to take libtorch from. Correct FLAMINGO_LIBTORCH (or the option that names it), or leave it out to use the packaged libtorch.", e.Message);

        using var empty = new TemporaryFolder();
        e = Assert.Throws<FlamingoException>(() => NativeRuntime.FindLibTorch(empty.Path, []));
        Assert.Equal(
            $"libtorch_cpu.so was not found. Name the root of a libtorch or its lib folder with FLAMINGO_LIBTORCH. Tried: {empty.At("libtorch_cpu.so")}: not there; {empty.At("lib/libtorch_cpu.so")}: not there.",
            e.Message);
    }

    [Fact]
    public void The_root_of_a_libtorch_will_do()
    {
        using var root = new TemporaryFolder();
        Directory.CreateDirectory(root.At("lib"));
        File.WriteAllText(root.At("lib/libtorch_cpu.so"), "");
        Assert.Equal(root.At("lib/libtorch_cpu.so"), NativeRuntime.FindLibTorch(root.Path, []));
    }

    [Fact]
    public void A_damaged_copy_in_the_cache_is_written_anew_and_a_good_one_is_kept()
    {
        using var cache = new TemporaryFolder();
        string copy = NativeRuntime.CachedPatch(GlibcxxPatchTests.Library, cache.Path);
        byte[] good = File.ReadAllBytes(copy);
        var written = File.GetLastWriteTimeUtc(copy);
        Assert.Equal(copy, NativeRuntime.CachedPatch(GlibcxxPatchTests.Library, cache.Path));
        Assert.Equal(written, File.GetLastWriteTimeUtc(copy));

        File.WriteAllBytes(copy, good[..1000]);
        Assert.Equal(copy, NativeRuntime.CachedPatch(GlibcxxPatchTests.Library, cache.Path));
        Assert.True(good.AsSpan().SequenceEqual(File.ReadAllBytes(copy)));
        Assert.Single(Directory.GetFiles(cache.Path, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void Many_at_once_leave_one_good_copy()
    {
        using var cache = new TemporaryFolder();
        string[] copies = new string[8];
        Thread[] threads = [.. Enumerable.Range(0, copies.Length).Select(i => new Thread(() => copies[i] = NativeRuntime.CachedPatch(GlibcxxPatchTests.Library, cache.Path)))];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        string copy = Assert.Single(Directory.GetFiles(cache.Path, "*", SearchOption.AllDirectories));
        Assert.All(copies, c => Assert.Equal(copy, c));
        Assert.True(GlibcxxPatch.Apply(File.ReadAllBytes(GlibcxxPatchTests.Library)).AsSpan().SequenceEqual(File.ReadAllBytes(copy)));
    }

    [Fact]
    public async Task Two_processes_that_start_together_both_compute()
    {
        using var home = new TemporaryFolder();
        var processes = Enumerable.Range(0, 2).Select(_ => Start(home.Path)).ToList();
        foreach (var process in processes)
        {
            string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(process.ExitCode == 0, output);
            process.Dispose();
        }
        if (NativeRuntime.Current!.Patched)
            Assert.EndsWith(".so", Assert.Single(Directory.GetFiles(home.Path, "*", SearchOption.AllDirectories)), StringComparison.Ordinal);

        static Process Start(string home) => Process.Start(new ProcessStartInfo("dotnet",
            [typeof(NativeRuntimeTests).Assembly.Location, "-method", $"{typeof(NativeRuntimeTests).FullName}.{nameof(Torch_computes_after_loading)}"])
        {
            RedirectStandardOutput = true,
            Environment = { [UserFolders.HomeVariable] = home },
        })!;
    }

    [Fact, SupportedOSPlatform("linux")]
    public void A_cache_that_cannot_be_written_gives_way_to_the_next()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.At("file"), "");
        Directory.CreateDirectory(folder.At("open"));
        File.SetUnixFileMode(folder.At("open"), (UnixFileMode)0b111_111_111);
        var trace = new List<string>();
        string[] caches = [folder.At("file/native"), folder.At("open"), folder.At("good")];

        string copy = NativeRuntime.CachedPatch(GlibcxxPatchTests.Library, caches, trace);
        Assert.StartsWith(folder.At("good"), copy, StringComparison.Ordinal);
        Assert.Equal(2, trace.Count);
        Assert.Equal($"{folder.At("open")}: others may write there", trace[1]);

        var e = Assert.Throws<FlamingoException>(() => NativeRuntime.CachedPatch(GlibcxxPatchTests.Library, caches[1..2], []));
        Assert.Equal("No folder can be written to keep the patched copy of TorchSharp's native library. Name a writable one with FLAMINGO_HOME. "
            + "Tried: .", e.Message.Replace($"{folder.At("open")}: others may write there", "", StringComparison.Ordinal));
    }

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint NativeVariable(string name);
}
