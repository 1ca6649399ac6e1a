namespace FlamingoSharp.Hub;

/// <summary>Downloads models from a Hugging Face-compatible hub into the cache that Python's tools use.</summary>
/// <example><code>
/// using var hub = new ModelHub();
/// var model = await hub.FindAsync(HubModelId.Parse("org/name"));
/// Console.WriteLine(model.License.Describe());
/// hub.Accept(model.License);                            // once; it is remembered
/// var pulled = await hub.PullAsync(model);
/// using var flamingo = Flamingo.Load(pulled.Folder);
/// </code></example>
/// <remarks>A pull that was cut continues where it stopped. A folder of a model appears complete and checked, or not at all.</remarks>
public sealed class ModelHub : IDisposable
{
    private const int QuestionsAtOnce = 4;

    private readonly HubOptions _options;
    private readonly Action<string>? _note;
    private readonly HubConnection _connection;
    private readonly HubRetry _retry;
    private readonly HubApi _api;
    private readonly AcceptedLicenses _licenses;

    /// <summary>Opens no connection yet.</summary>
    /// <param name="options">Null reads the environment.</param> <param name="note">Told what takes long, and why.</param>
    /// <exception cref="FlamingoException">An environment variable cannot be used.</exception>
    public ModelHub(HubOptions? options = null, Action<string>? note = null)
    {
        _options = options ?? HubOptions.FromEnvironment();
        _note = note;
        _connection = new HubConnection(_options);
        _retry = new HubRetry(_options, note);
        _api = new HubApi(_connection, _options, _retry);
        _licenses = new AcceptedLicenses(_options.LicenseFolder);
    }

    /// <summary>The folder of a model that has been pulled, by this library or by Python's tools; null where there is none. Asks no hub.</summary>
    /// <param name="model">Which.</param> <param name="options">Names the cache; null takes the environment's.</param>
    public static string? FindSnapshot(HubModelId model, HubOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new HubCache((options ?? new HubOptions()).CacheFolder, model).FindSnapshot();
    }

    /// <summary>True if this user has accepted this licence of this repository.</summary>
    public bool IsAccepted(HubLicense license)
    {
        ArgumentNullException.ThrowIfNull(license);
        return _licenses.Contains(license);
    }

    /// <summary>Remembers that this user accepts a licence.</summary>
    /// <exception cref="FlamingoException">The user's folder cannot be written.</exception>
    public void Accept(HubLicense license)
    {
        ArgumentNullException.ThrowIfNull(license);
        _licenses.Add(license);
    }

    /// <summary>Asks what a model consists of, and under which licence it stands.</summary>
    /// <exception cref="FlamingoException">The hub refuses or cannot be reached, has no such model, or may not be asked (offline).</exception>
    public async Task<HubModel> FindAsync(HubModelId model, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (_options.Offline)
            throw new FlamingoException(FlamingoErrorKind.Model, $"'{model}' cannot be pulled while HF_HUB_OFFLINE is set; unset it.");
        var found = await _api.FindAsync(model, cancellation).ConfigureAwait(false);
        if (found.License.File is not { } file)
            return found;
        string? text = await _api.ReadTextAsync(found, file, HubLicense.MostBytes, cancellation).ConfigureAwait(false);
        return found with { License = found.License with { Text = text is null ? null : HubText.Plain(text).Trim() } };
    }

    /// <summary>Downloads what of a model is missing.</summary>
    /// <param name="model">What the hub has.</param> <param name="options">Null pulls everything.</param> <param name="cancellation">Stops; the next pull continues.</param>
    /// <exception cref="FlamingoException">
    /// The licence has not been accepted, no file is asked for, the disk is full, the hub refuses or fails too often, or sends other bytes than it announced.
    /// </exception>
    public async Task<PullResult> PullAsync(HubModel model, PullOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        options ??= new PullOptions();
        if (!_licenses.Contains(model.License))
            throw new FlamingoException(FlamingoErrorKind.Usage, $"The licence of '{model.Id}' has not been accepted: {model.License.Describe()}.");
        var wanted = HubPath.Select(model.Files, options.Include, options.Exclude);
        if (wanted.Count == 0)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"None of the {model.Files.Count} files of '{model.Id}' is asked for; check --include and --exclude.");
        var cache = new HubCache(_options.CacheFolder, model.Id);
        try
        {
            string[] missing = [.. wanted.Where(f => !File.Exists(Path.Combine(cache.Snapshot(model.Commit), f)))];
            var files = await DescribeAsync(model, missing, cancellation).ConfigureAwait(false);
            cache.Create();
            var (downloaded, bytes) = await DownloadAsync(cache, model, files, options.Progress, cancellation).ConfigureAwait(false);
            string folder = await SnapshotWriter.PublishAsync(cache, model, files, cancellation).ConfigureAwait(false);
            return new PullResult(folder, wanted.Count, downloaded, bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            bool full = e is IOException && (e.HResult & 0xFFFF) is 28 or 39 or 112; // ENOSPC, and Windows' two
            throw new FlamingoException(FlamingoErrorKind.Model, full
                ? $"The disk of '{_options.CacheFolder}' is full; free some space and pull again to continue, or name another folder with HF_HUB_CACHE."
                : $"'{_options.CacheFolder}' cannot be written: {e.Message.TrimEnd('.')}; HF_HUB_CACHE names another folder.", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    private async Task<RemoteFile[]> DescribeAsync(HubModel model, string[] files, CancellationToken cancellation)
    {
        var described = new RemoteFile[files.Length];
        var some = new ParallelOptions { MaxDegreeOfParallelism = QuestionsAtOnce, CancellationToken = cancellation };
        await Parallel.ForAsync(0, files.Length, some, async (i, stop) =>
            described[i] = await _api.DescribeAsync(model, files[i], stop).ConfigureAwait(false)).ConfigureAwait(false);
        return described;
    }

    private async Task<(int Files, long Bytes)> DownloadAsync(
        HubCache cache, HubModel model, RemoteFile[] files, IProgress<PullProgress>? progress, CancellationToken cancellation)
    {
        RemoteFile[] missing = [.. files.DistinctBy(f => f.Hash).Where(f => !BlobDownload.IsThere(cache, f))];
        CheckSpace(cache, model, missing);
        double total = missing.Sum(f => (double)(f.Size ?? 0)); // a double, as a hostile hub may announce anything
        int downloaded = 0;
        long before = 0, bytes = 0;
        foreach (var file in missing)
        {
            void Report(long done) => progress?.Report(new PullProgress(file.Path, before + done, (long)total));
            BlobDownload? running = null;
            var download = running = new BlobDownload(_api, _connection, _retry, cache, model, file) { Progress = () => Report(running!.Done) };
            Report(0);
            bool done = await download.RunAsync(
                () => _note?.Invoke($"Another process is downloading '{file.Path}'; waiting for it."), cancellation).ConfigureAwait(false);
            downloaded += done ? 1 : 0;
            bytes += download.Received;
            before += file.Size ?? download.Done;
            Report(0);
        }
        return (downloaded, bytes);
    }

    private static void CheckSpace(HubCache cache, HubModel model, RemoteFile[] missing)
    {
        double needed = missing.Sum(f => (double)(f.Size ?? 0) - BlobDownload.Left(cache, f));
        long free = new DriveInfo(cache.Repository).AvailableFreeSpace;
        if (needed > free)
        {
            throw new FlamingoException(FlamingoErrorKind.Model, FormattableString.Invariant(
                $"'{model.Id}' needs {needed / 1e9:0.0} GB more, but only {free / 1e9:0.0} GB are free in '{cache.Repository}'; free some space, or name another folder with HF_HUB_CACHE."));
        }
    }
}
