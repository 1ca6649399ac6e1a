namespace FlamingoSharp.Hub;

/// <summary>The folder of downloads, laid out as Python's tools do, so that both share what either has downloaded.</summary>
/// <remarks>
/// <c>models--org--name/blobs/HASH</c> holds each content once, <c>snapshots/COMMIT/path</c> are relative links to them, <c>refs/main</c> holds
/// the commit that a revision last was, <c>.locks/models--org--name/HASH.lock</c> guards a blob while it is written.<br/>
/// The rule of completeness: a blob has its name only when its bytes have been checked against the hash; a snapshot's folder is made when all its
/// blobs are there, and appears by one renaming; the ref is written after it. What is in between can be deleted at any time.
/// </remarks>
internal sealed class HubCache(string root, HubModelId model)
{
    private const string Incomplete = ".incomplete";

    /// <summary>The repository's folder.</summary>
    public string Repository { get; } = Path.Combine(Path.GetFullPath(root), model.FolderName);

    public string Blobs => Path.Combine(Repository, "blobs");

    private string Locks => Path.Combine(Path.GetFullPath(root), ".locks", model.FolderName);

    /// <summary>The whole, checked content.</summary>
    public string Blob(ContentHash hash) => Path.Combine(Blobs, hash.Value);

    /// <summary>What of it has been downloaded.</summary>
    public string IncompleteBlob(ContentHash hash) => Blob(hash) + Incomplete;

    /// <summary>The server's mark of the version that the incomplete part is of.</summary>
    public string IncompleteVersion(ContentHash hash) => IncompleteBlob(hash) + ".etag";

    /// <summary>The lock of a blob, which Python's tools take too.</summary>
    public string BlobLock(ContentHash hash) => Path.Combine(Locks, hash.Value + ".lock");

    /// <summary>The lock of snapshots and refs.</summary>
    public string SnapshotLock => Path.Combine(Locks, "snapshot.lock");

    public string Snapshot(string commit) => Path.Combine(Repository, "snapshots", commit);

    public string Ref(string revision) => Path.Combine([Repository, "refs", .. revision.Split('/')]);

    /// <summary>The folder of the model's files; null where it has not been downloaded.</summary>
    public string? FindSnapshot()
    {
        string? commit = model.Revision;
        if (!model.IsCommit)
        {
            string path = Ref(model.Revision);
            commit = File.Exists(path) ? File.ReadAllText(path).Trim() : null;
        }
        return HubModelId.IsCommitHash(commit) && Directory.Exists(Snapshot(commit!)) ? Snapshot(commit!) : null;
    }

    /// <summary>Makes the folders that downloads go to.</summary>
    public void Create()
    {
        Directory.CreateDirectory(Blobs);
        Directory.CreateDirectory(Locks);
    }
}
