using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace FlamingoSharp.Runtime;

/// <summary>Which native libraries a process uses, and how they were found.</summary>
/// <param name="LibTorchFolder">Folder of libtorch_cpu; null where TorchSharp's own search is left to do it.</param>
/// <param name="TorchSharpLibrary">Full path of the loaded libLibTorchSharp; null as above.</param>
/// <param name="Patched">True when the library is the cached copy that loads on an older libstdc++.</param>
/// <param name="Trace">Every path tried, in order, with its outcome.</param>
public sealed record NativeRuntimeInfo(string? LibTorchFolder, string? TorchSharpLibrary, bool Patched, IReadOnlyList<string> Trace);

/// <summary>
/// Loads libtorch and TorchSharp's native library before torch is first used.
/// </summary>
/// <remarks>
/// TorchSharp 0.107.0's library asks for <c>GLIBCXX_3.4.32</c> (GCC 13) although it needs nothing of it, and so fails on Debian 12
/// and Ubuntu 22.04. Where that happens a patched copy (<see cref="GlibcxxPatch"/>) is written once to a per-user cache and loaded
/// instead. The dynamic linker then finds every later request for the library by its SONAME.
/// </remarks>
public static class NativeRuntime
{
    /// <summary>Names a folder with the user's own libtorch (CPU or CUDA), its root or its <c>lib</c>.</summary>
    public const string LibTorchVariable = "FLAMINGO_LIBTORCH";

    private const string TorchSharpFile = "libLibTorchSharp.so";
    private const string TorchCpuFile = "libtorch_cpu.so";

    // libtorch's own order of dependence; a CPU build lacks the CUDA ones.
    private static readonly string[] LibTorchFiles =
        ["libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so", "libtorch.so"];

    private static readonly Lock Gate = new();
    private static NativeRuntimeInfo? _current;

    /// <summary>What was loaded; null before <see cref="EnsureLoaded"/>.</summary>
    public static NativeRuntimeInfo? Current => _current;

    /// <summary>Loads the native libraries once per process; later calls return the first result.</summary>
    /// <param name="libTorchFolder">The user's own libtorch; null takes <see cref="LibTorchVariable"/>, then the packaged one.</param>
    /// <exception cref="FlamingoException">No libtorch is found, or the libraries found cannot be loaded.</exception>
    public static NativeRuntimeInfo EnsureLoaded(string? libTorchFolder = null)
    {
        lock (Gate)
            return _current ??= OperatingSystem.IsLinux()
                ? LoadOnLinux(libTorchFolder ?? Environment.GetEnvironmentVariable(LibTorchVariable))
                : new NativeRuntimeInfo(null, null, false, ["left to TorchSharp: only Linux needs explicit loading"]);
    }

    private static NativeRuntimeInfo LoadOnLinux(string? named)
    {
        var trace = new List<string>();
        string libTorch = string.IsNullOrEmpty(named)
            ? Find(TorchCpuFile, PackagedFolders(), trace) ?? throw NotFound(TorchCpuFile, "Reference the package libtorch-cpu-linux-x64", trace)
            : Find(TorchCpuFile, [named, Path.Combine(named, "lib")], trace) ?? throw NotFound(TorchCpuFile, $"Check {LibTorchVariable}", trace);
        string torchSharp = Find(TorchSharpFile, PackagedFolders(), trace)
            ?? throw NotFound(TorchSharpFile, "Reference the package TorchSharp", trace);

        string folder = Path.GetDirectoryName(libTorch)!;
        foreach (string file in Directory.GetFiles(folder, "libgomp*").Concat(LibTorchFiles.Select(f => Path.Combine(folder, f))))
        {
            if (File.Exists(file) && !TryLoad(file, trace, out string? reason))
                throw new FlamingoException(FlamingoErrorKind.Device, $"libtorch cannot be loaded: {reason}. Name another build with {LibTorchVariable}.");
        }

        if (TryLoad(torchSharp, trace, out string? failure))
            return new NativeRuntimeInfo(folder, torchSharp, Patched: false, trace);
        if (failure is null || !failure.Contains(GlibcxxPatch.MissingVersion, StringComparison.Ordinal))
            throw new FlamingoException(FlamingoErrorKind.Device, $"TorchSharp's native library cannot be loaded: {failure}.");

        string patched = CachedPatch(torchSharp, CacheFolder());
        if (!TryLoad(patched, trace, out failure))
            throw new FlamingoException(FlamingoErrorKind.Device, $"The patched copy of TorchSharp's native library cannot be loaded: {failure}.");
        return new NativeRuntimeInfo(folder, patched, Patched: true, trace);
    }

    /// <summary>The patched copy of <paramref name="library"/>, written on first use. Safe when several processes start at once.</summary>
    internal static string CachedPatch(string library, string cacheFolder)
    {
        byte[] image = File.ReadAllBytes(library);
        string hash = Convert.ToHexStringLower(SHA256.HashData(image))[..16];
        string target = Path.Combine(cacheFolder, hash, TorchSharpFile);
        byte[] patched = GlibcxxPatch.Apply(image);
        // A copy that was cut short or changed is written anew; an equal one is kept.
        if (File.Exists(target) && File.ReadAllBytes(target).AsSpan().SequenceEqual(patched))
            return target;

        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        string temporary = $"{target}.{Environment.ProcessId}.{Guid.NewGuid():N}";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                stream.Write(patched);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true); // atomic: readers see the old file or the whole new one
        }
        finally
        {
            File.Delete(temporary);
        }
        return target;
    }

    private static string CacheFolder() => Path.Combine(UserFolders.Cache, "native");

    private static IEnumerable<string> PackagedFolders()
    {
        string rid = $"linux-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        yield return AppContext.BaseDirectory;
        yield return Path.Combine(AppContext.BaseDirectory, "runtimes", rid, "native");
        if (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") is string searched)
        {
            foreach (string folder in searched.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
                yield return folder;
        }
        string? own = Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location);
        if (!string.IsNullOrEmpty(own))
            yield return Path.Combine(own, "runtimes", rid, "native");
    }

    private static string? Find(string file, IEnumerable<string> folders, List<string> trace)
    {
        foreach (string folder in folders)
        {
            string path = Path.GetFullPath(Path.Combine(folder, file));
            bool found = File.Exists(path);
            trace.Add($"{path}: {(found ? "found" : "not there")}");
            if (found)
                return path;
        }
        return null;
    }

    private static bool TryLoad(string path, List<string> trace, out string? failure)
    {
        try
        {
            NativeLibrary.Load(path);
            failure = null;
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            failure = e.Message.Trim().TrimEnd('.');
        }
        trace.Add($"{path}: {(failure is null ? "loaded" : failure)}");
        return failure is null;
    }

    private static FlamingoException NotFound(string file, string advice, List<string> trace) =>
        new(FlamingoErrorKind.Device, $"{file} was not found. {advice}. Tried: {string.Join("; ", trace)}.");
}
