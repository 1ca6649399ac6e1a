using FlamingoSharp.Retrieval;
using FlamingoSharp.Text;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>How examples are put to the test.</summary>
internal sealed record FewShotOptions
{
    /// <summary>Numbers of examples, each a row (two where there are any: the similar ones, and random ones).</summary>
    public IReadOnlyList<int> Shots { get; init; } = [0, 1, 4, 8];

    /// <summary>What is asked, given the labels of the index.</summary>
    public required Func<IReadOnlyList<string>, TaskPrompt> Task { get; init; }

    /// <summary>Seed of the random examples.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>What a sound was cut or made from: sounds of one group are never examples of each other. Null for a sound that stands alone.</summary>
    public Func<IndexedSound, string?> GroupOf { get; init; } = _ => null;

    /// <summary>Sounds asked about at most, evenly spaced; null asks about all.</summary>
    public int? Limit { get; init; }

    /// <summary>Questions answered together.</summary>
    public int Batch { get; init; } = 16;
}

/// <summary>
/// What examples from an index are worth to a model: the same sounds are asked about without examples, after the most alike and after random
/// ones, and the neighbours' vote alone is beside. Neither a sound nor its near-duplicates, nor sounds of its group, are its examples.
/// </summary>
/// <param name="flamingo">Answers.</param> <param name="index">Gives the examples.</param> <param name="options">What is asked, and how often.</param>
internal sealed class FewShotEvaluation(Flamingo flamingo, SoundIndex index, FewShotOptions options)
{
    private const int RoomForText = 8; // tokens that an answer may be longer than the longest label

    /// <summary>Runs the evaluation.</summary>
    /// <param name="queries">Labelled sounds to ask about; null asks about each of the index, which is then left out of it.</param>
    /// <param name="progress">Told the share done.</param> <param name="cancellation">Stops.</param>
    /// <exception cref="FlamingoException">The numbers are out of range, there is nothing to ask about, or the prompts do not fit the model.</exception>
    public async Task<FewShotReport> RunAsync(IReadOnlyList<SoundEntry>? queries, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        int[] shots = [.. options.Shots.Distinct().Order()];
        if (shots.Length == 0 || shots[0] < 0 || shots[^1] > FewShot.MaxShots)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"The numbers of examples are {string.Join(", ", options.Shots)}, but a prompt takes 0 to {FewShot.MaxShots}.");
        var pool = await FewShotPool.ReadAsync(index.Store, options.GroupOf, cancellation).ConfigureAwait(false);
        var task = options.Task(pool.Labels);
        flamingo.Config.Prompts.FewShot(ShotChoice.Similar, task, [.. Enumerable.Repeat("", shots[^1])]); // a format without a form for examples is said first
        List<Unanswered> failures = [];
        IReadOnlyList<IndexedSound> all = queries is null ? pool.Sounds : await EmbeddedAsync(queries, failures, cancellation).ConfigureAwait(false);
        IndexedSound[] asked = [.. all.Where(pool.HasRival)];
        int leftOut = all.Count - asked.Length;
        if (asked.Length == 0)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage, failures.Count > 0
                ? $"None of the sounds to ask about can be used: {failures[0].Reason}"
                : $"None of the {all.Count} sounds to ask about shares a label with another sound of the index '{index.Store.Name}', so none can be named by example. Label them as the index does.");
        }
        if (options.Limit is { } limit && asked.Length > limit)
            asked = [.. Enumerable.Range(0, limit).Select(i => asked[(long)i * asked.Length / limit])];

        var tally = new FewShotTally(shots, pool.Labels);
        using var heard = new HeardSounds(flamingo);
        var generation = flamingo.Config.Generation with
        {
            MaxNewTokens = pool.Labels.Max(l => flamingo.Config.Prompts.EncodeAnswer(l, flamingo.Tokenizer).Count) + RoomForText,
        };
        int done = 0;
        foreach (var batch in asked.Chunk(options.Batch))
        {
            var ready = new List<Query>();
            foreach (var sound in batch)
            {
                cancellation.ThrowIfCancellationRequested();
                try
                {
                    ready.Add(await PrepareAsync(sound, pool, shots[^1], heard, cancellation).ConfigureAwait(false));
                }
                catch (FlamingoException e) when (e.Kind == FlamingoErrorKind.Input)
                {
                    failures.Add(new(sound.Path, e.Message));
                }
            }
            foreach (var (count, choice) in tally.Conditions)
            {
                ShotSet[] sets = [.. ready.Select(q => count == 0 ? ShotSet.None : FewShot.Of(choice, choice == ShotChoice.Similar ? q.Similar.Take(count).Reverse() : q.Random.Take(count)))];
                Question[] questions = [.. ready.Select((q, i) => FewShot.Ask(flamingo.Config.Prompts, task, sets[i], [.. sets[i].Entries.Select(heard.Of)], heard.Of(q.Sound)))];
                if (questions.Length == 0)
                    continue;
                var answers = flamingo.Answer(questions, generation, cancellation);
                var choices = flamingo.Choose([.. questions.Select(q => new ChoiceQuestion(q, pool.Labels))], cancellation: cancellation);
                for (int i = 0; i < ready.Count; i++)
                    tally.Add(count, choice, pool.RightOf(ready[i].Sound), sets[i], answers[i].Text, choices[i].Text);
            }
            foreach (var query in ready)
                tally.AddVotes(pool.RightOf(query.Sound), query.Similar);
            heard.Trim();
            done += batch.Length;
            progress?.Report((double)done / asked.Length);
        }
        if (tally.Queries == 0)
            throw new FlamingoException(FlamingoErrorKind.Input, $"None of the {asked.Length} sounds could be asked about: {failures[0].Reason}");
        return new FewShotReport
        {
            Model = flamingo.Config.Name,
            Index = index.Store.Name,
            Encoder = index.Embedder.Encoder,
            Prompt = flamingo.Config.Prompts.Ask(task).Show(flamingo.Tokenizer),
            Seed = options.Seed,
            Queries = tally.Queries,
            LeftOut = leftOut,
            Labels = pool.Labels,
            Rows = tally.Rows(),
            Votes = tally.Votes(),
            Failures = failures,
        };
    }

    // A sound asked about, with its examples: the nearest first, and in the order of a draw.
    private sealed record Query(IndexedSound Sound, IReadOnlyList<SoundMatch> Similar, IReadOnlyList<SoundMatch> Random);

    private async Task<Query> PrepareAsync(IndexedSound sound, FewShotPool pool, int most, HeardSounds heard, CancellationToken cancellation)
    {
        heard.Hear(sound, cancellation);
        if (most == 0)
            return new(sound, [], []);
        var similar = await index.QueryAsync(sound.Embedding, new QueryOptions { Top = most, Hash = sound.Hash, Where = pool.MayShow(sound) }, cancellation).ConfigureAwait(false);
        var random = pool.Draw(sound, most, options.Seed);
        foreach (var match in similar.Concat(random))
            heard.Hear(match.Sound, cancellation);
        return similar.Count == most && random.Count == most ? new(sound, similar, random) : throw new FlamingoException(FlamingoErrorKind.Usage,
            $"The index '{index.Store.Name}' has {Math.Min(similar.Count, random.Count)} sounds that may be shown before '{sound.Path}', but {most} examples were asked for; ask for fewer.");
    }

    private async Task<IReadOnlyList<IndexedSound>> EmbeddedAsync(IReadOnlyList<SoundEntry> queries, List<Unanswered> failures, CancellationToken cancellation)
    {
        List<IndexedSound> embedded = [];
        foreach (var entry in queries)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                string hash = await FileHash.OfAsync(entry.Path, cancellation).ConfigureAwait(false);
                embedded.Add(entry.ToIndexed(hash) with { Embedding = await index.Embedder.EmbedAsync(entry.Path, entry.StartSeconds, entry.DurationSeconds, cancellation).ConfigureAwait(false) });
            }
            catch (FlamingoException e) when (e.Kind == FlamingoErrorKind.Input)
            {
                failures.Add(new(entry.Path, e.Message));
            }
        }
        return embedded;
    }
}
