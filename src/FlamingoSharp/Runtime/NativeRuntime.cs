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
/// instead. The dynamic linker then finds every later request for the library by its SONAME.<br/>
/// The threads of libgomp spin while they wait, which on a machine with other work makes torch six to ten times slower. Unless the
/// user has set <c>OMP_WAIT_POLICY</c> or <c>GOMP_SPINCOUNT</c>, they are told to sleep, before libgomp is loaded.
/// </remarks>
public static partial class NativeRuntime
{
    /// <summary>Names a folder with the user's own libtorch (CPU or CUDA), its root or its <c>lib</c>.</summary>
    public const string LibTorchVariable = "FLAMINGO_LIBTORCH";

    private const string WaitPolicyVariable = "OMP_WAIT_POLICY";
    private const string SpinCountVariable = "GOMP_SPINCOUNT";
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
        LetThreadsSleep(trace);
        string libTorch = FindLibTorch(named, trace);
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

        string patched = CachedPatch(torchSharp, CacheFolders(), trace);
        if (!TryLoad(patched, trace, out failure))
            throw new FlamingoException(FlamingoErrorKind.Device, $"The patched copy of TorchSharp's native library cannot be loaded: {failure}.");
        return new NativeRuntimeInfo(folder, patched, Patched: true, trace);
    }

    /// <summary>The full path of libtorch_cpu: in the folder named, or among the packages.</summary>
    /// <exception cref="FlamingoException">It is not there.</exception>
    internal static string FindLibTorch(string? named, List<string> trace)
    {
        if (string.IsNullOrEmpty(named))
            return Find(TorchCpuFile, PackagedFolders(), trace) ?? throw NotFound(TorchCpuFile, "Reference the package libtorch-cpu-linux-x64", trace);
        if (!Directory.Exists(named))
            throw new FlamingoException(FlamingoErrorKind.Device,
                $"There is no folder '{named}' to take libtorch from. Correct {LibTorchVariable} (or the option that names it), or leave it out to use the packaged libtorch.");
        return Find(TorchCpuFile, [named, Path.Combine(named, "lib")], trace)
            ?? throw NotFound(TorchCpuFile, $"Name the root of a libtorch or its lib folder with {LibTorchVariable}", trace);
    }

    /// <summary>The patched copy of <paramref name="library"/> in the first folder that can be written.</summary>
    /// <exception cref="FlamingoException">None can.</exception>
    internal static string CachedPatch(string library, IEnumerable<string> cacheFolders, List<string> trace)
    {
        foreach (string folder in cacheFolders)
        {
            try
            {
                // What lies where everyone may write could be exchanged between our check and the loading.
                if (Directory.Exists(folder) && !OperatingSystem.IsWindows() && File.GetUnixFileMode(folder).HasFlag(UnixFileMode.OtherWrite))
                    throw new IOException("others may write there");
                return CachedPatch(library, folder);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                trace.Add($"{folder}: {e.Message}");
            }
        }
        throw new FlamingoException(FlamingoErrorKind.Device,
            $"No folder can be written to keep the patched copy of TorchSharp's native library. Name a writable one with {UserFolders.HomeVariable}. Tried: {string.Join("; ", trace)}.");
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

        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        else
            Directory.CreateDirectory(Path.GetDirectoryName(target)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
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

    // The user's own, then a temporary one, which no other user shares.
    private static IEnumerable<string> CacheFolders() =>
        [Path.Combine(UserFolders.Cache, "native"), Path.Combine(Path.GetTempPath(), $"flamingosharp-{Environment.UserName}", "native")];

    /// <summary>Sets OMP_WAIT_POLICY unless the user has a say; see the remarks of <see cref="NativeRuntime"/>.</summary>
    internal static void LetThreadsSleep(List<string> trace)
    {
        foreach (string variable in new[] { WaitPolicyVariable, SpinCountVariable })
        {
            if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value)
            {
                trace.Add($"{variable}={value}: set by the user");
                return;
            }
        }
        // Native code does not see what Environment.SetEnvironmentVariable sets.
        bool set = SetNativeVariable(WaitPolicyVariable, "PASSIVE", overwrite: 1) == 0;
        trace.Add($"{WaitPolicyVariable}=PASSIVE: {(set ? "set" : "refused by the system")}");
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetNativeVariable(string name, string value, int overwrite);

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
