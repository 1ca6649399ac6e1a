using FlamingoSharp.Retrieval;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.DataSets;

/// <summary>What few-shot manifests are made of.</summary>
public sealed record InterleaveOptions
{
    /// <summary>Examples shown before each question; the reference has 2, and 8 at most.</summary>
    public int Shots { get; init; } = 2;

    /// <summary>Another seed draws others.</summary>
    public int Seed { get; init; }

    /// <summary>Only these tasks; empty takes all.</summary>
    public IReadOnlyList<string> Tasks { get; init; } = [];

    /// <summary>Only these splits; empty takes all.</summary>
    public IReadOnlyList<string> Splits { get; init; } = [];

    /// <summary>
    /// Gives the embedding of a recording, or of the part of it that an item is about, all of one length: shots are then the nearest
    /// neighbours by Euclidean distance. Null draws shots at random.
    /// </summary>
    public Func<SoundEntry, float[]>? Embed { get; init; }
}

/// <summary>Writes few-shot manifests: for each item of a split, examples of its task's training split to be shown before it.</summary>
/// <remarks>
/// Source: Audio Flamingo 1's data preparation. Of the (shots + 51) nearest training items one for each recording is kept, the recording in
/// question left out; the first of them are taken and put into a random order. Draws are numpy's, seeded by the manifest's name.
/// </remarks>
public static class InterleaveDataSet
{
    private const int ExtraNeighbours = 50;

    /// <summary>Writes the manifests and lists them in the data set.</summary>
    /// <param name="set">The data set; it is changed on disk.</param>
    /// <param name="options">Which, and how.</param>
    /// <param name="progress">Told the share that is done.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>The data set as it is now, and the new manifests.</returns>
    /// <exception cref="FlamingoException">A task or split is unknown, or a training split has too few other recordings.</exception>
    public static (DataSet Set, IReadOnlyList<DataSetManifest> Written) Run(
        DataSet set, InterleaveOptions options, Action<double>? progress = null, CancellationToken cancellation = default)
    {
        if (options.Shots < 1)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"{options.Shots} shots were asked for; ask for at least one.");
        var choice = options.Embed is null ? ShotChoice.Random : ShotChoice.Similar;
        DataSetManifest[] plain = [.. Plain(set, options)];
        List<DataSetManifest> written = [];
        foreach (var manifest in plain)
        {
            var train = TrainOf(set, manifest);
            string name = $"{manifest.Task}/{Manifest.InterleavedName(manifest.Split, choice)}";
            var draw = new Draw(set, train, manifest, name, options);
            List<InterleavedItem> items = [];
            foreach (int asked in Enumerable.Range(0, manifest.Count))
            {
                cancellation.ThrowIfCancellationRequested();
                items.Add(new(asked, draw.ShotsFor(asked)));
                progress?.Invoke((written.Count + ((double)items.Count / manifest.Count)) / plain.Length);
            }
            ManifestWriter.WriteInterleaved(set.Folder, manifest.Task, manifest.Split, choice, items);
            written.Add(manifest with { Name = name, Shots = options.Shots });
        }
        var manifests = set.Manifests.Where(m => written.All(w => w.Name != m.Name)).Concat(written).ToList();
        DataSetWriter.End(set.Folder, set.Name, set.Tasks, manifests);
        return (DataSet.Open(set.Folder), written);
    }

    /// <summary>The recordings, and parts of recordings, whose embeddings are asked for, once each.</summary>
    /// <param name="set">The data set.</param> <param name="options">Which of its manifests.</param>
    /// <exception cref="FlamingoException">A task or split is unknown, or a task has no training split.</exception>
    public static IReadOnlyList<SoundEntry> SoundsOf(DataSet set, InterleaveOptions options) => [.. Plain(set, options)
        .SelectMany(m => new[] { TrainOf(set, m), m }).DistinctBy(m => m.Name)
        .SelectMany(m => Examples(set, m)).Select(e => SoundOf(set, e)).DistinctBy(IndexedVectors.PartOf)];

    private static IEnumerable<DataSetManifest> Plain(DataSet set, InterleaveOptions options)
    {
        foreach (string task in options.Tasks)
            set.Task(task);
        foreach (string split in options.Splits)
            set.Of(split);
        return set.Manifests.Where(m => m.Shots == 0 && set.Task(m.Task).Kind != TaskKind.Dialogue
            && (options.Tasks.Count == 0 || options.Tasks.Contains(m.Task, StringComparer.Ordinal))
            && (options.Splits.Count == 0 || options.Splits.Contains(m.Split, StringComparer.Ordinal)));
    }

    private static DataSetManifest TrainOf(DataSet set, DataSetManifest manifest) =>
        set.Manifests.FirstOrDefault(m => m.Shots == 0 && m.Task == manifest.Task && m.Split == SplitAssignment.Train) ?? throw new FlamingoException(
            FlamingoErrorKind.Usage, $"The task {manifest.Task} has no training split, which shots are taken from.");

    private static Example[] Examples(DataSet set, DataSetManifest manifest) => [.. set.Read(manifest).Items.Select(i => i.Value.Examples[^1])];

    private static SoundEntry SoundOf(DataSet set, Example example) =>
        new(set.SoundPath(example.Name)) { StartSeconds = example.AudioStart, DurationSeconds = example.AudioDuration };

    /// <summary>The shots of one manifest's items.</summary>
    private sealed class Draw
    {
        private readonly Example[] _train, _asked;
        private readonly NumpyGenerator _random;
        private readonly InterleaveOptions _options;
        private readonly bool _isTrain;
        private readonly string _name;
        private readonly SoundNeighbourhood? _near;
        private readonly SoundEntry[] _askedSounds = [];

        public Draw(DataSet set, DataSetManifest train, DataSetManifest asked, string name, InterleaveOptions options)
        {
            _train = Examples(set, train);
            _isTrain = asked.Name == train.Name;
            _asked = _isTrain ? _train : Examples(set, asked);
            (_name, _options) = (name, options);
            _random = new NumpyGenerator(NumpyGenerator.SeedOf(name) + (ulong)options.Seed);
            if (options.Embed is { } embed)
            {
                _near = new([.. _train.Select(e => SoundOf(set, e))], embed, options.Shots + 1 + ExtraNeighbours);
                _askedSounds = [.. _asked.Select(e => SoundOf(set, e))];
            }
        }

        public int[] ShotsFor(int asked)
        {
            int[] shots = _near is null ? AtRandom(asked) : Nearest(asked, _near);
            return shots.Length == _options.Shots ? shots : throw new FlamingoException(FlamingoErrorKind.Usage,
                $"{_name}: the training split has {shots.Length} other recordings to show before item {asked}, but {_options.Shots} shots were asked for; ask for fewer.");
        }

        private int[] AtRandom(int asked)
        {
            List<int> shots = [];
            int[] others = [.. Enumerable.Range(0, _train.Length).Where(i => _train[i].Name != _asked[asked].Name)];
            if (others.Length <= _options.Shots * 2)
            {
                _random.Shuffle(others);
                return [.. others.Take(_options.Shots)];
            }
            while (shots.Count < _options.Shots)
            {
                int drawn = others[Math.Min(others.Length - 1, (int)(_random.NextDouble() * others.Length))];
                if (!shots.Contains(drawn))
                    shots.Add(drawn);
            }
            return [.. shots];
        }

        private int[] Nearest(int asked, SoundNeighbourhood neighbourhood)
        {
            var near = neighbourhood.Of(_askedSounds[asked]);
            int[] shots = [.. near.GroupBy(i => _train[i].Name, StringComparer.Ordinal)
                .Where(g => g.Key != _asked[asked].Name)
                .Select(g => g.ElementAt(Math.Min(g.Count() - 1, (int)(_random.NextDouble() * g.Count()))))
                .Where(i => !_isTrain || i != asked)
                .Take(_options.Shots)];
            _random.Shuffle(shots);
            return shots;
        }
    }
}
