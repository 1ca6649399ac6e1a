using System.Net;
using System.Net.Http.Headers;

namespace FlamingoSharp.Hub;

/// <summary>Brings one file's content into the cache: continues what an earlier try left, and gives it its name only when its hash is right.</summary>
internal sealed class BlobDownload(HubApi api, HubConnection connection, HubRetry retry, HubCache cache, HubModel model, RemoteFile file)
{
    private const int Block = 1 << 18;

    private bool _continued; // some of what is on disk may be another download's
    private bool _startedOver;

    /// <summary>Bytes that came over the network.</summary>
    public long Received { get; private set; }

    /// <summary>Bytes on disk.</summary>
    public long Done { get; private set; }

    /// <summary>Told after every block.</summary>
    public Action? Progress { get; init; }

    /// <summary>What a cut download left, in bytes.</summary>
    public static long Left(HubCache cache, RemoteFile file) => Length(cache.IncompleteBlob(file.Hash));

    /// <summary>True if the cache has the file's content already.</summary>
    public static bool IsThere(HubCache cache, RemoteFile file)
    {
        var blob = new FileInfo(cache.Blob(file.Hash));
        return blob.Exists && (file.Size is null || blob.Length == file.Size);
    }

    /// <summary>Downloads, if no other process does so first.</summary>
    /// <returns>True if anything was downloaded.</returns>
    /// <exception cref="FlamingoException">The hub refuses or fails too often, or sends other bytes than it announced.</exception>
    /// <exception cref="IOException">The cache cannot be written.</exception>
    public async Task<bool> RunAsync(Action? waiting, CancellationToken cancellation)
    {
        using var guard = await FileLock.TakeAsync(cache.BlobLock(file.Hash), waiting, cancellation).ConfigureAwait(false);
        if (IsThere(cache, file))
            return false;
        _continued = Left(cache, file) > 0;
        return await retry.RunAsync(() => TryAsync(cancellation), () => Done, cancellation).ConfigureAwait(false);
    }

    private async Task<bool> TryAsync(CancellationToken cancellation)
    {
        string path = cache.IncompleteBlob(file.Hash);
        if (Length(path) > file.Size)
            Discard();
        if (file.Size is null || Length(path) < file.Size || !File.Exists(path))
            await FetchAsync(path, cancellation).ConfigureAwait(false);

        var found = await file.Hash.OfFileAsync(path, cancellation).ConfigureAwait(false);
        if (found == file.Hash)
        {
            File.Move(path, cache.Blob(file.Hash), overwrite: true);
            File.Delete(cache.IncompleteVersion(file.Hash));
            return true;
        }
        Discard();
        if (_continued && !_startedOver)
        {
            _startedOver = true;
            throw new PassingHubException($"'{file.Path}' was continued but its {file.Hash.Kind} is wrong, so it is downloaded from the beginning.", TimeSpan.Zero);
        }
        throw Wrong($"arrived with the {file.Hash.Kind} {found.Value}, not the announced {file.Hash.Value}");
    }

    private async Task FetchAsync(string path, CancellationToken cancellation)
    {
        long have = Length(path);
        string versionPath = cache.IncompleteVersion(file.Hash);
        string version = have > 0 && File.Exists(versionPath) ? await File.ReadAllTextAsync(versionPath, cancellation).ConfigureAwait(false) : "";
        using var response = await api.OpenAsync(model, file.Path, have, version, cancellation).ConfigureAwait(false);
        if (have > 0 && response.StatusCode != HttpStatusCode.OK && !Continues(response, have))
        {
            Discard();
            throw new PassingHubException($"The hub does not continue '{file.Path}' where it stopped, so it is downloaded from the beginning.", TimeSpan.Zero);
        }
        if (have == 0 && response.StatusCode != HttpStatusCode.OK)
            throw Wrong($"is answered with a part of it ({(int)response.StatusCode}) when all is asked for");
        if (response.StatusCode == HttpStatusCode.OK)
        {
            have = 0; // also where the version has changed, or the server knows no ranges
            await File.WriteAllTextAsync(versionPath, Strong(response.Headers.ETag), cancellation).ConfigureAwait(false);
        }
        if (response.Content.Headers.ContentLength is { } length && file.Size is { } size && length != size - have)
        {
            Discard();
            throw Wrong($"comes with {length} bytes instead of {size - have}");
        }
        await ReceiveAsync(response, path, have, cancellation).ConfigureAwait(false);
    }

    private async Task ReceiveAsync(HttpResponseMessage response, string path, long have, CancellationToken cancellation)
    {
        var body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        string host = response.RequestMessage?.RequestUri?.Host ?? "the hub";
        byte[] block = new byte[Block];
        using var target = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
        if (target.Length > have)
            target.SetLength(have);
        target.Seek(have, SeekOrigin.Begin);
        Done = have;
        for (int got; (got = await connection.ReadAsync(body, block, host, cancellation).ConfigureAwait(false)) > 0;)
        {
            if (Done + got > file.Size)
            {
                target.SetLength(0);
                throw Wrong($"does not end after the announced {file.Size} bytes");
            }
            await target.WriteAsync(block.AsMemory(0, got), cancellation).ConfigureAwait(false);
            Done += got;
            Received += got;
            Progress?.Invoke();
        }
        target.Flush(flushToDisk: true);
        if (Done < file.Size)
            throw new PassingHubException($"'{file.Path}' broke off after {Done} of {file.Size} bytes.");
    }

    private bool Continues(HttpResponseMessage response, long have) =>
        response is { StatusCode: HttpStatusCode.PartialContent, Content.Headers.ContentRange: { } range }
        && range.From == have && (range.Length is null || file.Size is null || range.Length == file.Size);

    private void Discard()
    {
        File.Delete(cache.IncompleteBlob(file.Hash));
        File.Delete(cache.IncompleteVersion(file.Hash));
        Done = 0;
    }

    // Only a strong mark says that bytes are the same.
    private static string? Strong(EntityTagHeaderValue? tag) => tag is { IsWeak: false } ? tag.Tag : null;

    private static long Length(string path) => new FileInfo(path) is { Exists: true } info ? info.Length : 0;

    private FlamingoException Wrong(string what) => new(FlamingoErrorKind.Model,
        $"'{file.Path}' of '{model.Id}' {what}; nothing of it was kept. Pull again: if it stays so, the hub or a proxy on the way alters it.");
}
