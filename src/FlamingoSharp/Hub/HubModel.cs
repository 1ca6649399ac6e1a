namespace FlamingoSharp.Hub;

/// <summary>What a hub has of a model.</summary>
/// <param name="Id">Which model, and which revision was asked for.</param>
/// <param name="Commit">The commit that this revision is now.</param>
/// <param name="Files">Its files, relative paths with slashes.</param>
/// <param name="License">Under which licence it stands.</param>
public sealed record HubModel(HubModelId Id, string Commit, IReadOnlyList<string> Files, HubLicense License);

/// <summary>How far a download has come.</summary>
/// <param name="File">The file being worked on.</param>
/// <param name="BytesDone">Bytes on disk, those of earlier tries included.</param>
/// <param name="BytesTotal">Bytes of all files that were missing.</param>
public readonly record struct PullProgress(string File, long BytesDone, long BytesTotal);

/// <summary>Which of a model's files are pulled.</summary>
public sealed record PullOptions
{
    /// <summary>Only files that match one of these; none is all. <c>*</c> and <c>?</c>, and a * also matches slashes.</summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>Not those that match one of these.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>Told of every block.</summary>
    public IProgress<PullProgress>? Progress { get; init; }
}

/// <summary>A model that has been pulled.</summary>
/// <param name="Folder">Its files, complete and checked.</param>
/// <param name="Files">How many were asked for.</param>
/// <param name="Downloaded">How many of them were not there before.</param>
/// <param name="Bytes">How many bytes came over the network.</param>
public sealed record PullResult(string Folder, int Files, int Downloaded, long Bytes);
