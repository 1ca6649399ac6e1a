using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using FlamingoSharp.Audio;
using static TorchSharp.torch;

namespace FlamingoSharp.Runtime;

/// <summary>What there is to run on, and what to do about what is missing.</summary>
public sealed record DoctorReport
{
    /// <summary>Version of this library.</summary>
    public required string FlamingoSharp { get; init; }

    /// <summary>The .NET runtime.</summary>
    public required string Dotnet { get; init; }

    /// <summary>Operating system and architecture.</summary>
    public required string System { get; init; }

    /// <summary>Name of the processor.</summary>
    public required string Processor { get; init; }

    /// <summary>Logical cores that this process may use.</summary>
    public required int Cores { get; init; }

    /// <summary>Instruction sets that matter for speed.</summary>
    public required IReadOnlyList<string> CpuFeatures { get; init; }

    /// <summary>Memory that this process may use, in bytes.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>Version of TorchSharp.</summary>
    public required string TorchSharp { get; init; }

    /// <summary>Version of libtorch; null when it cannot be loaded.</summary>
    public string? LibTorch { get; init; }

    /// <summary>Folder of libtorch.</summary>
    public string? LibTorchFolder { get; init; }

    /// <summary>TorchSharp's native library as loaded.</summary>
    public string? TorchSharpLibrary { get; init; }

    /// <summary>True when that is the patched copy for an older libstdc++.</summary>
    public bool Patched { get; init; }

    /// <summary>Every path tried, with its outcome.</summary>
    public IReadOnlyList<string> Tried { get; init; } = [];

    /// <summary>Why libtorch cannot be used; null when it can.</summary>
    public string? Problem { get; init; }

    /// <summary>GPUs that libtorch can use.</summary>
    public int CudaDevices { get; init; }

    /// <summary>Threads of a matrix product.</summary>
    public int Threads { get; init; }

    /// <summary>Speed of one matrix product in float32, in 10^9 operations a second.</summary>
    public double? MatrixProductGflops { get; init; }

    /// <summary>First line of <c>ffmpeg -version</c>; null when there is none.</summary>
    public string? Ffmpeg { get; init; }

    /// <summary>What to do, a sentence each; empty when all is well.</summary>
    public required IReadOnlyList<string> Advice { get; init; }
}

/// <summary>Examines the machine: versions, native libraries, processor, GPU, ffmpeg, speed.</summary>
public static class Doctor
{
    private const int Size = 1024; // of the matrices that are multiplied

    /// <summary>Examines; nothing that is missing makes it fail.</summary>
    public static DoctorReport Examine()
    {
        string? ffmpeg = FfmpegVersion();
        var advice = new List<string>();
        var features = CpuFeatures();
        if (ffmpeg is null)
            advice.Add($"Install ffmpeg to hear formats other than WAV (Debian, Ubuntu: apt install ffmpeg), or name it with {SoundOptions.FfmpegVariable}.");
        if (RuntimeInformation.ProcessArchitecture == Architecture.X64 && !features.Contains("AVX2"))
            advice.Add("This processor has no AVX2; libtorch will be slow.");
        var report = new DoctorReport
        {
            FlamingoSharp = VersionOf(typeof(Doctor).Assembly),
            Dotnet = RuntimeInformation.FrameworkDescription,
            System = $"{RuntimeInformation.OSDescription} ({RuntimeInformation.RuntimeIdentifier})",
            Processor = Processor(),
            Cores = Environment.ProcessorCount,
            CpuFeatures = features,
            MemoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            TorchSharp = VersionOf(typeof(Device).Assembly),
            Ffmpeg = ffmpeg,
            Advice = advice,
        };
        try
        {
            var native = NativeRuntime.EnsureLoaded();
            report = report with
            {
                LibTorchFolder = native.LibTorchFolder,
                TorchSharpLibrary = native.TorchSharpLibrary,
                Patched = native.Patched,
                Tried = native.Trace,
                LibTorch = __version__,
                CudaDevices = cuda.is_available() ? cuda.device_count() : 0,
                Threads = get_num_threads(),
                MatrixProductGflops = MatrixProduct(),
            };
            if (report.CudaDevices == 0)
                advice.Add($"No GPU is used. For one, name a CUDA build of libtorch {__version__} with {NativeRuntime.LibTorchVariable} and give --device cuda.");
        }
        catch (Exception e) when (e is FlamingoException or DllNotFoundException or TypeInitializationException or ExternalException or EntryPointNotFoundException)
        {
            advice.Add($"libtorch cannot be used, so no model can run: name another build with {NativeRuntime.LibTorchVariable}.");
            report = report with { Problem = e.Message };
        }
        return report;
    }

    private static double MatrixProduct()
    {
        using var scope = NewDisposeScope();
        var a = rand(Size, Size);
        var b = rand(Size, Size);
        _ = a.mm(b); // threads and code pages warm up
        double[] seconds = new double[5];
        for (int i = 0; i < seconds.Length; i++)
        {
            long start = Stopwatch.GetTimestamp();
            _ = a.mm(b);
            seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        return Math.Round(2.0 * Size * Size * Size / seconds.Order().ElementAt(seconds.Length / 2) / 1e9, 1);
    }

    private static string? FfmpegVersion()
    {
        string name = Environment.GetEnvironmentVariable(SoundOptions.FfmpegVariable) is { Length: > 0 } named ? named : "ffmpeg";
        try
        {
            using var process = Process.Start(new ProcessStartInfo(name, "-version") { RedirectStandardOutput = true, RedirectStandardError = true });
            string? line = process?.StandardOutput.ReadLine();
            process?.StandardOutput.ReadToEnd();
            process?.WaitForExit();
            return line;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException)
        {
            return null;
        }
    }

    private static string Processor() => Information("model name") ?? RuntimeInformation.ProcessArchitecture.ToString();

    // What .NET does not ask for, but libtorch uses.
    private static IEnumerable<string> FlagsOf(params IEnumerable<string> names)
    {
        string[] flags = Information("flags")?.Split(' ') ?? [];
        return names.Where(flags.Contains).Select(n => n.ToUpperInvariant().Replace('_', ' '));
    }

    private static string? Information(string name)
    {
        const string Source = "/proc/cpuinfo";
        string? line = File.Exists(Source) ? File.ReadLines(Source).FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal)) : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }

    private static List<string> CpuFeatures()
    {
        var sets = new (string Name, bool Supported)[]
        {
            ("AVX2", global::System.Runtime.Intrinsics.X86.Avx2.IsSupported),
            ("FMA", global::System.Runtime.Intrinsics.X86.Fma.IsSupported),
            ("AVX-512", global::System.Runtime.Intrinsics.X86.Avx512F.IsSupported),
            ("AVX-512 BW", global::System.Runtime.Intrinsics.X86.Avx512BW.IsSupported),
            ("AVX-512 VBMI", global::System.Runtime.Intrinsics.X86.Avx512Vbmi.IsSupported),
            ("NEON", global::System.Runtime.Intrinsics.Arm.AdvSimd.IsSupported),
            ("dot product", global::System.Runtime.Intrinsics.Arm.Dp.IsSupported),
        };
        return [.. sets.Where(s => s.Supported).Select(s => s.Name), .. FlagsOf("avx512_vnni", "avx512_bf16", "amx_bf16")];
    }

    private static string VersionOf(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
        ?? assembly.GetName().Version?.ToString() ?? "unknown";
}
