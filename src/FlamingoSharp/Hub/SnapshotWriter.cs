namespace FlamingoSharp.Hub;

/// <summary>Makes a snapshot of blobs that are all there. The rule is at <see cref="HubCache"/>.</summary>
internal static class SnapshotWriter
{
    private const string Staging = ".snapshot-"; // beside snapshots/, where no tool looks for a revision

    /// <summary>Makes the snapshot's folder appear, or adds files to one that is there, then points the revision to it.</summary>
    /// <param name="cache">Where.</param> <param name="model">Whose revision and commit.</param> <param name="files">All of them with their blobs in the cache.</param>
    /// <param name="cancellation">Stops waiting for another process.</param>
    /// <exception cref="IOException">The cache cannot be written.</exception>
    public static async Task<string> PublishAsync(HubCache cache, HubModel model, IReadOnlyList<RemoteFile> files, CancellationToken cancellation)
    {
        using var guard = await FileLock.TakeAsync(cache.SnapshotLock, null, cancellation).ConfigureAwait(false);
        foreach (string leftover in Directory.EnumerateDirectories(cache.Repository, Staging + "*"))
            Directory.Delete(leftover, recursive: true);
        string staging = Path.Combine(cache.Repository, Staging + Path.GetRandomFileName()), folder = cache.Snapshot(model.Commit);
        Directory.CreateDirectory(staging);
        try
        {
            if (Directory.Exists(folder))
            {
                // What makes a folder a model comes last.
                foreach (var file in files.OrderBy(f => f.Path.EndsWith(".json", StringComparison.Ordinal)).ThenBy(f => f.Path == "config.json"))
                    Add(cache, folder, file, staging);
            }
            else
            {
                string whole = Path.Combine(staging, "snapshot");
                foreach (var file in files)
                    Link(Path.Combine(whole, file.Path), file);
                Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
                Directory.Move(whole, folder);
            }
            if (!model.Id.IsCommit)
                WriteRef(cache.Ref(model.Id.Revision), model.Commit, staging);
        }
        finally
        {
            Directory.Delete(staging, recursive: true);
        }
        return folder;
    }

    private static void Add(HubCache cache, string folder, RemoteFile file, string staging)
    {
        string path = Path.Combine(folder, file.Path);
        for (string parent = Path.GetDirectoryName(path)!; parent.Length > folder.Length; parent = Path.GetDirectoryName(parent)!)
        {
            if (new DirectoryInfo(parent).LinkTarget is not null)
                throw new IOException($"'{parent}' is a link, where the cache has only folders; delete it");
        }
        if (File.Exists(path) && File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName == cache.Blob(file.Hash))
            return;
        string temporary = Path.Combine(staging, Path.GetRandomFileName());
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.CreateSymbolicLink(temporary, Target(file));
        File.Move(temporary, path, overwrite: true);
    }

    private static void Link(string path, RemoteFile file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.CreateSymbolicLink(path, Target(file));
    }

    // Relative, so that the cache can be moved: from snapshots/COMMIT/a/b to blobs/HASH.
    private static string Target(RemoteFile file) =>
        string.Concat(Enumerable.Repeat("../", 2 + file.Path.Count(c => c == '/'))) + "blobs/" + file.Hash.Value;

    private static void WriteRef(string path, string commit, string staging)
    {
        string temporary = Path.Combine(staging, "ref");
        using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(commit));
            file.Flush(flushToDisk: true);
        }
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Move(temporary, path, overwrite: true);
    }
}
