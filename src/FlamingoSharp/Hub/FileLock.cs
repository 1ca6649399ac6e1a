namespace FlamingoSharp.Hub;

/// <summary>A lock that other processes see; the system lets go of it when its process ends, however it ends.</summary>
internal static class FileLock
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Waits for a lock; disposing it lets go.</summary>
    /// <param name="path">The lock's file; it stays.</param>
    /// <param name="waiting">Told once, if another process has it.</param>
    /// <param name="cancellation">Stops waiting.</param>
    /// <exception cref="IOException">The file cannot be made.</exception>
    public static async Task<IDisposable> TakeAsync(string path, Action? waiting, CancellationToken cancellation)
    {
        for (bool first = true; ; first = false)
        {
            try
            {
                // Exclusive sharing is flock() on Unix, which Python's filelock uses too.
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            }
            catch (IOException e) when (IsTaken(e))
            {
                if (first)
                    waiting?.Invoke();
                await Task.Delay(s_pause, cancellation).ConfigureAwait(false);
            }
        }
    }

    // EAGAIN on Linux and macOS, sharing and lock violation on Windows.
    private static bool IsTaken(IOException error) => error.GetType() == typeof(IOException) && (error.HResult & 0xFFFF) is 11 or 35 or 32 or 33;
}
