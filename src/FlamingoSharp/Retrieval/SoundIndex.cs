namespace FlamingoSharp.Retrieval;

/// <summary>A sound to be put into an index.</summary>
/// <param name="Path">The file.</param>
public sealed record SoundEntry(string Path)
{
    /// <summary>What is heard; may be empty.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>A description; null where there is none.</summary>
    public string? Caption { get; init; }

    /// <summary>Where in the file it begins, in seconds.</summary>
    public double StartSeconds { get; init; }

    /// <summary>How much of the file is meant, in seconds; null for all that the encoder hears.</summary>
    public double? DurationSeconds { get; init; }

    /// <summary>The sound as an index keeps it, without its vector.</summary>
    /// <param name="hash">SHA-256 of the file.</param>
    internal IndexedSound ToIndexed(string hash) => new()
    {
        Id = IndexedSound.IdOf(hash, StartSeconds, DurationSeconds),
        Path = Path,
        Hash = hash,
        Labels = Labels,
        Caption = Caption,
        StartSeconds = StartSeconds,
        DurationSeconds = DurationSeconds,
    };
}

/// <summary>How an index is searched.</summary>
public sealed record QueryOptions
{
    /// <summary>Sounds that are found at most.</summary>
    public int Top { get; init; } = 5;

    /// <summary>True also finds the sound asked about itself and its near-duplicates.</summary>
    public bool Duplicates { get; init; }

    /// <summary>Cosine from which on a sound counts as the same: another file form or loudness of one recording.</summary>
    public double DuplicateSimilarity { get; init; } = 0.9999;

    /// <summary>SHA-256 of the file asked about, hexadecimal; null where it is not in a file.</summary>
    public string? Hash { get; init; }

    /// <summary>Further condition; null takes all.</summary>
    public Func<IndexedSound, bool>? Where { get; init; }
}

/// <summary>An index of sounds: a store, and the encoder that makes its vectors.</summary>
/// <example><code>
/// using var flamingo = Flamingo.Load("models/flamingo-mini");
/// using var index = await SoundIndex.CreateAsync("birds.db", new FlamingoEmbedder(flamingo));
/// await index.AddAsync(SoundFolders.Find("birds"));
/// foreach (var match in await index.QueryAsync("new.wav"))
///     Console.WriteLine($"{match.Similarity:0.000} {match.Sound.Path} {match.Sound.Meaning}");
/// </code></example>
public sealed class SoundIndex : IDisposable
{
    /// <summary>Wraps an open store.</summary>
    /// <param name="store">Disposed with the index.</param> <param name="embedder">The encoder that the store is for; not disposed.</param>
    /// <exception cref="FlamingoException">The store is for another encoder.</exception>
    public SoundIndex(SoundStore store, ISoundEmbedder embedder)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(embedder);
        store.Encoder.Require(store.Name, embedder.Encoder);
        (Store, Embedder) = (store, embedder);
    }

    /// <summary>Where the sounds are kept.</summary>
    public SoundStore Store { get; }

    /// <summary>Makes the vectors.</summary>
    public ISoundEmbedder Embedder { get; }

    /// <summary>Opens an index, or makes it where there is none.</summary>
    /// <param name="location">A file, or a database; see <see cref="IndexLocation"/>.</param> <param name="embedder">Makes the vectors; not disposed.</param>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="FlamingoException">The place cannot be used, holds something else, or an index of another encoder.</exception>
    public static Task<SoundIndex> CreateAsync(string location, ISoundEmbedder embedder, CancellationToken cancellation = default) =>
        OpenAsync(location, embedder, readOnly: false, create: true, cancellation);

    /// <summary>Opens an index.</summary>
    /// <param name="location">A file, or a database; see <see cref="IndexLocation"/>.</param> <param name="embedder">Makes the vectors; not disposed.</param>
    /// <param name="readOnly">True never writes.</param> <param name="cancellation">Stops.</param>
    /// <exception cref="FlamingoException">There is none, or it was made by another encoder.</exception>
    public static Task<SoundIndex> OpenAsync(string location, ISoundEmbedder embedder, bool readOnly = false, CancellationToken cancellation = default) =>
        OpenAsync(location, embedder, readOnly, create: false, cancellation);

    private static async Task<SoundIndex> OpenAsync(string location, ISoundEmbedder embedder, bool readOnly, bool create, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(embedder);
        var store = IndexLocation.Store(location, embedder.Encoder, readOnly);
        try
        {
            await (create ? store.EnsureCollectionExistsAsync(cancellation) : store.OpenAsync(cancellation)).ConfigureAwait(false);
            return new SoundIndex(store, embedder);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Adds sounds; those that are there already are left as they are, so that a run that was cut short is simply run again.</summary>
    /// <param name="entries">What to add.</param> <param name="options">How.</param> <param name="progress">Told after each batch, when it is on disk.</param>
    /// <param name="cancellation">Stops; what was added stays.</param>
    /// <exception cref="FlamingoException">The store cannot be written. Files that are no sounds are no error: they are listed in the result.</exception>
    public Task<IngestResult> AddAsync(
        IEnumerable<SoundEntry> entries, IngestOptions? options = null, IProgress<IngestProgress>? progress = null, CancellationToken cancellation = default) =>
        new SoundIngest(Store, Embedder, options ?? new()).RunAsync(entries, progress, cancellation);

    /// <summary>The sounds most like a file, best first.</summary>
    /// <param name="path">The file.</param> <param name="options">How many; null takes the defaults.</param>
    /// <param name="startSeconds">Seconds skipped.</param> <param name="durationSeconds">Seconds heard at most.</param> <param name="cancellation">Stops.</param>
    /// <exception cref="FlamingoException">The file is no sound, or the index cannot be read.</exception>
    public async Task<IReadOnlyList<SoundMatch>> QueryAsync(
        string path, QueryOptions? options = null, double startSeconds = 0, double? durationSeconds = null, CancellationToken cancellation = default)
    {
        var vector = await Embedder.EmbedAsync(path, startSeconds, durationSeconds, cancellation).ConfigureAwait(false);
        options ??= new();
        string hash = options.Hash ?? await FileHash.OfAsync(path, cancellation).ConfigureAwait(false);
        return await QueryAsync(vector, options with { Hash = hash }, cancellation).ConfigureAwait(false);
    }

    /// <summary>The sounds nearest to a vector, best first.</summary>
    public Task<IReadOnlyList<SoundMatch>> QueryAsync(ReadOnlyMemory<float> vector, QueryOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new();
        bool Accept(SoundMatch match) =>
            (options.Duplicates || (match.Similarity < options.DuplicateSimilarity && match.Sound.Hash != options.Hash))
            && (options.Where is null || options.Where(match.Sound));
        return Store.NearestAsync(vector, options.Top, options.Duplicates && options.Where is null ? null : Accept, cancellation);
    }

    /// <summary>The sounds that fit a text, best first.</summary>
    /// <exception cref="FlamingoException">The index's encoder has no text side.</exception>
    public async Task<IReadOnlyList<SoundMatch>> SearchAsync(string text, int top = 5, CancellationToken cancellation = default)
    {
        if (string.IsNullOrWhiteSpace(text))
            throw new FlamingoException(FlamingoErrorKind.Usage, "The text to search for is empty; say what is to be heard.");
        var vectors = await Embedder.EmbedTextsAsync([text], cancellation).ConfigureAwait(false);
        return await Store.NearestAsync(vectors[0], top, null, cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => Store.Dispose();
}
