using System.Runtime.InteropServices;

namespace FlamingoSharp.Weights;

/// <summary>Writes files and folders that appear whole or not at all.</summary>
internal static partial class AtomicFile
{
    /// <summary>Writes a file under a temporary name beside it, forces it to disk, then gives it its name.</summary>
    public static void Write(string path, Action<FileStream> write)
    {
        string temporary = TemporaryBeside(path);
        try
        {
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                write(file);
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>
    /// Writes a folder under a temporary name beside it, then gives it its name. When this returns, the folder is on disk under its name.
    /// </summary>
    /// <param name="path">There must be nothing of this name.</param> <param name="write">Given the temporary folder; flushes what it writes.</param>
    public static void WriteFolder(string path, Action<string> write)
    {
        string temporary = TemporaryBeside(path);
        Directory.CreateDirectory(temporary);
        try
        {
            write(temporary);
            FlushFolder(temporary);
            Directory.Move(temporary, path);
        }
        catch
        {
            Directory.Delete(temporary, recursive: true);
            throw;
        }
        FlushFolder(Path.GetDirectoryName(temporary)!);
    }

    /// <summary>Forces the names in a folder to disk; without it, a machine that loses its power may forget that a file was renamed.</summary>
    public static void FlushFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            return; // its file systems log names by themselves
        int folder = Open(path, 0);
        if (folder < 0)
            throw new IOException($"'{path}' cannot be opened (error {Marshal.GetLastPInvokeError()}).");
        try
        {
            if (Sync(folder) != 0 && Marshal.GetLastPInvokeError() is var error and not InvalidArgument)
                throw new IOException($"'{path}' cannot be forced to disk (error {error}).");
        }
        finally
        {
            Close(folder);
        }
    }

    private const int InvalidArgument = 22; // EINVAL: a file system that has nothing to flush

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int file);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);

    /// <summary>A name in the same folder that nothing has.</summary>
    public static string TemporaryBeside(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        return Path.Combine(Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}.{Path.GetRandomFileName()}.tmp");
    }
}
