using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace FlamingoSharp.Hub;

/// <summary>A file of a repository, as the hub announces it.</summary>
/// <param name="Path">Relative, safe.</param> <param name="Hash">Of its content.</param>
/// <param name="Size">In bytes; null where the hub does not say.</param>
internal sealed record RemoteFile(string Path, ContentHash Hash, long? Size);

/// <summary>The three questions that a hub is asked: what a repository holds, what one file is, and its bytes.</summary>
internal sealed class HubApi(HubConnection connection, HubOptions options, HubRetry retry)
{
    private const int MostBytesOfListing = 64 << 20;
    private const int MostFiles = 100_000;

    /// <summary>Asks for a repository's files and licence, and which commit its revision is now.</summary>
    /// <exception cref="FlamingoException">The hub refuses, cannot be reached, or lists what cannot be stored.</exception>
    public async Task<HubModel> FindAsync(HubModelId model, CancellationToken cancellation)
    {
        var address = connection.Address($"api/models/{model.Repository}/revision/{Uri.EscapeDataString(model.Revision)}");
        byte[] json = await ReadAsync(address, model, null, MostBytesOfListing, cancellation).ConfigureAwait(false)
            ?? throw NoListing(model, $"it is longer than {MostBytesOfListing >> 20} MB");
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            string? commit = root.TryGetProperty("sha", out var sha) ? sha.GetString() : null;
            if (!HubModelId.IsCommitHash(commit))
                throw NoListing(model, "it names no commit");
            if (model.IsCommit && commit != model.Revision)
                throw NoListing(model, $"it is about commit {commit}");
            string[] files = [.. root.GetProperty("siblings").EnumerateArray().Select(s => s.GetProperty("rfilename").GetString() ?? "")];
            if (files.Length > MostFiles)
                throw NoListing(model, $"it has {files.Length} files, more than the {MostFiles} that are taken");
            HubPath.CheckAll(files, model.Repository);
            return new HubModel(model, commit!, files, HubLicense.Read(root, model, files, options.Endpoint));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw NoListing(model, "it is not of the known form", e);
        }
    }

    /// <summary>Asks for a file's hash and size.</summary>
    /// <exception cref="FlamingoException">The hub refuses, cannot be reached, gives no hash, or speaks of another commit.</exception>
    public Task<RemoteFile> DescribeAsync(HubModel model, string file, CancellationToken cancellation) => retry.RunAsync(
        async () =>
        {
            using var response = await connection.SendAsync(HttpMethod.Head, FileAddress(model, file), null, leaveHub: false, cancellation).ConfigureAwait(false);
            bool redirected = (int)response.StatusCode is >= 300 and < 400; // to where the bytes lie; the hub's own headers describe them
            if (!redirected && response.StatusCode != HttpStatusCode.OK)
                throw HubRefusal.Of(response, model.Id, options, file);
            string? commit = HubRefusal.Header(response, "X-Repo-Commit");
            if (commit is not null && commit != model.Commit)
                throw new FlamingoException(FlamingoErrorKind.Model, $"{options.Endpoint.Host} gives '{file}' of commit {HubText.Line(commit)} when asked for commit {model.Commit}; nothing of it is taken.");
            string? linked = HubRefusal.Header(response, "X-Linked-Etag");
            var hash = ContentHash.FromETag(linked ?? HubRefusal.Header(response, "ETag")) ?? throw new FlamingoException(FlamingoErrorKind.Model,
                $"{options.Endpoint.Host} gives no SHA-256 and no git hash of '{file}', so that it could not be checked; it may be no Hugging Face-compatible hub.");
            long? size = HubRefusal.Header(response, "X-Linked-Size") is { } text
                ? long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null
                : redirected ? null : response.Content.Headers.ContentLength;
            return new RemoteFile(file, hash, size);
        },
        come: null,
        cancellation);

    /// <summary>Asks for a file's bytes, from <paramref name="offset"/> on if they are still those of <paramref name="version"/> (empty: unknown).</summary>
    /// <returns>200, 206 or 416; the caller disposes it.</returns>
    /// <exception cref="FlamingoException">The hub refuses, or cannot be reached.</exception>
    public async Task<HttpResponseMessage> OpenAsync(HubModel model, string file, long offset, string version, CancellationToken cancellation)
    {
        void Shape(HttpRequestMessage request)
        {
            if (offset == 0)
                return;
            request.Headers.Range = new(offset, null);
            if (version.Length > 0)
                request.Headers.TryAddWithoutValidation("If-Range", version);
        }

        var response = await connection.SendAsync(HttpMethod.Get, FileAddress(model, file), Shape, leaveHub: true, cancellation).ConfigureAwait(false);
        if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable)
            return response;
        using (response)
            throw HubRefusal.Of(response, model.Id, options, file);
    }

    /// <summary>A small text; null where it is longer than that.</summary>
    public async Task<string?> ReadTextAsync(HubModel model, string file, int mostBytes, CancellationToken cancellation) =>
        await ReadAsync(FileAddress(model, file), model.Id, file, mostBytes, cancellation).ConfigureAwait(false) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    private Uri FileAddress(HubModel model, string file) => connection.Address($"{model.Id.Repository}/resolve/{model.Commit}/{HubPath.Escape(file)}");

    private Task<byte[]?> ReadAsync(Uri address, HubModelId model, string? file, int mostBytes, CancellationToken cancellation) => retry.RunAsync(
        async () =>
        {
            using var response = await connection.SendAsync(HttpMethod.Get, address, null, leaveHub: true, cancellation).ConfigureAwait(false);
            if (response.StatusCode != HttpStatusCode.OK)
                throw HubRefusal.Of(response, model, options, file);
            var body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
            using var all = new MemoryStream();
            byte[] block = new byte[1 << 16];
            for (int got; (got = await connection.ReadAsync(body, block, address.Host, cancellation).ConfigureAwait(false)) > 0;)
            {
                if (all.Length + got > mostBytes)
                    return null;
                all.Write(block, 0, got);
            }
            return all.ToArray();
        },
        come: null,
        cancellation);

    private FlamingoException NoListing(HubModelId model, string why, Exception? inner = null) => new(
        FlamingoErrorKind.Model, $"{options.Endpoint.Host} answers with no usable list of the files of '{model}': {why}; it may be no Hugging Face-compatible hub (HF_ENDPOINT).", inner);
}
