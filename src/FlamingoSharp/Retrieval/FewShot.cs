using FlamingoSharp.Text;

namespace FlamingoSharp.Retrieval;

/// <summary>A sound with its right answer, shown to the model before the question.</summary>
/// <param name="Path">The file.</param> <param name="Answer">The right answer.</param>
public sealed record ShotEntry(string Path, string Answer)
{
    /// <summary>Where in the file it begins, in seconds.</summary>
    public double StartSeconds { get; init; }

    /// <summary>How much of the file is meant, in seconds; null for all that the model hears.</summary>
    public double? DurationSeconds { get; init; }

    /// <summary>How alike it is to the sound asked about, where that is known: a cosine.</summary>
    public double? Similarity { get; init; }
}

/// <summary>The examples of a question, and how they were chosen: the model is told.</summary>
/// <param name="Choice">How.</param> <param name="Entries">In the order in which the model reads them.</param>
public sealed record ShotSet(ShotChoice Choice, IReadOnlyList<ShotEntry> Entries)
{
    /// <summary>No examples.</summary>
    public static ShotSet None { get; } = new(ShotChoice.Similar, []);
}

/// <summary>Learning in context: examples are shown and the model answers alike, without any training.</summary>
/// <remarks>
/// Audio Flamingo 1 was trained with up to 8 sounds in a prompt. A prompt of k examples lays out k + 1 sounds, whatever the model's
/// configuration says of its slots; text hears the sounds up to its own place (<see cref="Models.CrossAttentionMask"/>).
/// Source: Audio Flamingo §3.3 (arXiv 2402.01831).
/// </remarks>
public static class FewShot
{
    /// <summary>Examples that a prompt takes at most.</summary>
    public const int MaxShots = 8;

    /// <summary>The sounds of an index most like a file, as examples: the most alike is read last, next to the question.</summary>
    /// <param name="index">Its sounds need labels or captions; those without are passed over.</param>
    /// <param name="path">The sound asked about; neither it nor its near-duplicates become examples.</param>
    /// <param name="count">Examples at most.</param> <param name="labels">Only sounds with one of these labels, which is then the answer; null takes all.</param>
    /// <param name="startSeconds">Seconds of the file skipped.</param> <param name="durationSeconds">Seconds heard at most.</param> <param name="cancellation">Stops.</param>
    /// <exception cref="FlamingoException">There is no such sound in the index, or the number is out of range.</exception>
    public static async Task<ShotSet> SimilarAsync(
        SoundIndex index, string path, int count, IReadOnlyList<string>? labels = null,
        double startSeconds = 0, double? durationSeconds = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(index);
        if (Checked(count) == 0)
            return ShotSet.None;
        var options = new QueryOptions { Top = count, Where = sound => AnswerOf(sound, labels) is not null };
        var found = await index.QueryAsync(path, options, startSeconds, durationSeconds, cancellation).ConfigureAwait(false);
        return OfIndex(ShotChoice.Similar, index, [.. found.Reverse()], labels);
    }

    /// <summary>Sounds of an index drawn at random, as examples.</summary>
    /// <param name="index">As for <see cref="SimilarAsync"/>.</param> <param name="path">The sound asked about; it does not become an example.</param>
    /// <param name="count">Examples at most.</param> <param name="seed">The same seed draws the same examples.</param>
    /// <param name="labels">As for <see cref="SimilarAsync"/>.</param> <param name="cancellation">Stops.</param>
    /// <exception cref="FlamingoException">There is no such sound in the index, or the number is out of range.</exception>
    public static async Task<ShotSet> RandomAsync(
        SoundIndex index, string path, int count, int seed, IReadOnlyList<string>? labels = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(index);
        if (Checked(count) == 0)
            return ShotSet.None;
        string hash = await FileHash.OfAsync(path, cancellation).ConfigureAwait(false);
        var all = new List<IndexedSound>();
        await foreach (var sound in index.Store.ScanAsync(vectors: false, cancellation).ConfigureAwait(false))
        {
            if (sound.Hash != hash && AnswerOf(sound, labels) is not null)
                all.Add(sound);
        }
        var random = new Random(seed);
        IndexedSound[] drawn = [.. all.OrderBy(s => s.Id, StringComparer.Ordinal)];
        random.Shuffle(drawn);
        return OfIndex(ShotChoice.Random, index, [.. drawn.Take(count).Select(s => new SoundMatch(s, double.NaN))], labels);
    }

    /// <summary>A question about a sound after examples of the same task.</summary>
    /// <param name="format">The model's form.</param> <param name="task">What is asked of each example and of the sound.</param>
    /// <param name="shots">The examples, and how they were chosen.</param> <param name="heard">The sounds of the examples, in order.</param>
    /// <param name="asked">The sound asked about.</param>
    /// <exception cref="FlamingoException">The format has no few-shot form, or there are too many examples.</exception>
    public static Question Ask(PromptFormat format, TaskPrompt task, ShotSet shots, IReadOnlyList<Sound> heard, Sound asked)
    {
        ArgumentNullException.ThrowIfNull(format);
        ArgumentNullException.ThrowIfNull(shots);
        Checked(shots.Entries.Count);
        return new Question(format.FewShot(shots.Choice, task, [.. shots.Entries.Select(e => e.Answer)]), [.. heard, asked]);
    }

    /// <summary>Sounds of an index as examples, in the order in which the model is to read them.</summary>
    /// <param name="choice">How they were chosen.</param> <param name="matches">Each has a label or a caption.</param>
    /// <param name="labels">As for <see cref="SimilarAsync"/>.</param>
    internal static ShotSet Of(ShotChoice choice, IEnumerable<SoundMatch> matches, IReadOnlyList<string>? labels = null) =>
        new(choice, [.. matches.Select(m => new ShotEntry(m.Sound.Path, AnswerOf(m.Sound, labels)!)
        {
            StartSeconds = m.Sound.StartSeconds,
            DurationSeconds = m.Sound.DurationSeconds,
            Similarity = double.IsNaN(m.Similarity) ? null : m.Similarity,
        })]);

    private static ShotSet OfIndex(ShotChoice choice, SoundIndex index, IReadOnlyList<SoundMatch> matches, IReadOnlyList<string>? labels) => matches.Count > 0
        ? Of(choice, matches, labels)
        : throw new FlamingoException(FlamingoErrorKind.Usage, labels is null
            ? $"No sound of the index '{index.Store.Name}' has a label or a caption, so none can be an example. Build it from class folders or a manifest."
            : $"No sound of the index '{index.Store.Name}' has one of the labels {string.Join(", ", labels)}. Name labels of the index; 'flamingo index stats' lists them.");

    private static string? AnswerOf(IndexedSound sound, IReadOnlyList<string>? labels) => labels is null
        ? sound.Meaning
        : labels.FirstOrDefault(l => sound.Labels.Contains(l, StringComparer.OrdinalIgnoreCase));

    private static int Checked(int count) => count is >= 0 and <= MaxShots
        ? count
        : throw new FlamingoException(FlamingoErrorKind.Usage, $"{count} examples were asked for, but a prompt takes 0 to {MaxShots}.");
}
