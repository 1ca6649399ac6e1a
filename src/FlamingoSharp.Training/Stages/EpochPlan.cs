using FlamingoSharp.Text;
using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.Stages;

/// <summary>A sample as it is taught: its tokens, and the sounds that they refer to.</summary>
/// <param name="Ids">Prompt and answer.</param> <param name="Sounds">In the order of the text.</param> <param name="View">Which variation of them is heard.</param>
internal sealed record PlannedSample(long[] Ids, IReadOnlyList<SoundPart> Sounds, int View);

/// <summary>
/// Which samples each micro-batch of a run has: virtual epochs of a mixture, each sample once in its epoch, those of like length together so
/// that little is padding. A micro-batch follows from its number alone. May be asked by several threads.
/// </summary>
/// <remarks>
/// An epoch's order is <see cref="EpochOrder"/>'s. Pools of it are sorted by length and cut into batches, whose order is shuffled again; the
/// last batch of an epoch may be short, and no batch reaches into the next epoch.
/// </remarks>
internal sealed class EpochPlan
{
    private const int Pool = 16; // batches sorted together

    private readonly Blend _blend;
    private readonly SampleComposer _composer;
    private readonly Func<Prompt, long[]> _encode;
    private readonly Func<string, string> _path;
    private readonly int _batchSize, _views;
    private readonly long _seed;
    private readonly Lock _planning = new();
    private readonly List<long> _starts = [0]; // first micro-batch of each epoch
    private readonly Dictionary<(int Epoch, int Pool), PlannedSample[][]> _pools = [];
    private readonly Queue<(int Epoch, int Pool)> _recent = new();
    private (int Epoch, IReadOnlyList<DatasetItem> Items, int[] Order)? _current;

    /// <param name="blend">The mixture.</param> <param name="composer">Words its items.</param> <param name="encode">Gives the tokens, cut to their limit.</param>
    /// <param name="path">The file of a recording's name.</param> <param name="batchSize">Samples of a micro-batch.</param>
    /// <param name="views">Variations of each sound.</param> <param name="seed">Of wordings and order.</param>
    public EpochPlan(Blend blend, SampleComposer composer, Func<Prompt, long[]> encode, Func<string, string> path, int batchSize, int views, long seed) =>
        (_blend, _composer, _encode, _path, _batchSize, _views, _seed) = (blend, composer, encode, path, batchSize, views, seed);

    /// <summary>Samples of an epoch.</summary>
    public int SamplesOf(int epoch) => _blend.CountOf(epoch);

    /// <summary>Micro-batches of an epoch.</summary>
    public int BatchesOf(int epoch) => (_blend.CountOf(epoch) + _batchSize - 1) / _batchSize;

    /// <summary>The epoch of a micro-batch, and its place there.</summary>
    public (int Epoch, int Batch) Locate(long index)
    {
        lock (_planning)
        {
            int empty = 0;
            while (_starts[^1] <= index)
            {
                int batches = BatchesOf(_starts.Count - 1);
                empty = batches == 0 ? empty + 1 : 0;
                if (empty > 10_000)
                    throw new FlamingoException(FlamingoErrorKind.Usage, "The mixture has no samples: raise the weights of its data sets.");
                _starts.Add(_starts[^1] + batches);
            }
            int place = _starts.BinarySearch(index);
            int epoch = place >= 0 ? place : ~place - 1;
            while (epoch + 1 < _starts.Count && _starts[epoch + 1] == _starts[epoch])
                epoch++; // epochs without samples
            return (epoch, (int)(index - _starts[epoch]));
        }
    }

    /// <summary>The samples of a micro-batch.</summary>
    /// <exception cref="FlamingoException">An item cannot be worded.</exception>
    public IReadOnlyList<PlannedSample> Batch(long index)
    {
        var (epoch, batch) = Locate(index);
        lock (_planning)
        {
            var key = (epoch, batch / Pool);
            if (!_pools.TryGetValue(key, out var pool))
            {
                _pools[key] = pool = Plan(epoch, batch / Pool);
                _recent.Enqueue(key);
                if (_recent.Count > 8)
                    _pools.Remove(_recent.Dequeue());
            }
            return pool[batch % Pool];
        }
    }

    /// <summary>Words a sample.</summary>
    public PlannedSample Compose(DatasetItem item, NumpyGenerator random, int view = 0) =>
        new(_encode(_composer.Training(item, random).Prompt), SoundsOf(item), view);

    /// <summary>The sounds that an item refers to.</summary>
    public IReadOnlyList<SoundPart> SoundsOf(DatasetItem item) =>
        [.. item.Examples.Select(e => new SoundPart(_path(e.Name), e.AudioStart, e.AudioDuration))];

    private PlannedSample[][] Plan(int epoch, int pool)
    {
        if (_current?.Epoch != epoch)
        {
            var items = _blend.Epoch(epoch);
            _current = (epoch, items, EpochOrder.For(items.Count, epoch));
        }
        var (_, all, order) = _current.Value;
        int first = pool * Pool * _batchSize, count = Math.Min(Pool * _batchSize, order.Length - first);
        var samples = new PlannedSample[count];
        for (int i = 0; i < count; i++)
        {
            var random = new NumpyGenerator(SeedOf(epoch, first + i));
            int view = _views > 1 ? (int)(random.NextDouble() * _views) : 0;
            samples[i] = Compose(all[order[first + i]], random, view);
        }
        PlannedSample[][] batches = [.. samples.OrderBy(s => s.Ids.Length).Chunk(_batchSize)];
        int[] places = [.. Enumerable.Range(0, batches.Length)];
        new NumpyGenerator(SeedOf(epoch, -1 - pool)).Shuffle(places);
        return [.. places.Select(p => batches[p])];
    }

    private ulong SeedOf(int epoch, long place) =>
        unchecked((ulong)_seed * 0x9E3779B97F4A7C15 + (ulong)epoch * 0xBF58476D1CE4E5B9 + (ulong)place * 0x94D049BB133111EB);
}
