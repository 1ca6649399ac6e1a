using System.Globalization;
using System.Text.Json;

namespace FlamingoSharp.Training.Data;

/// <summary>How one data set takes part in training.</summary>
public sealed record BlendEntry
{
    /// <summary>Its name: <c>Dataset-Task/split</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Passes over the data set in the whole training.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>How its texts are worded.</summary>
    public AugmentationOptions Augmentation { get; init; } = new();
}

/// <summary>How often, and in which wording.</summary>
public sealed record AugmentationOptions
{
    /// <summary>Wordings with their probabilities, in the order of the configuration.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> Wordings { get; init; } = [KeyValuePair.Create("do_nothing", 1.0)];

    /// <summary>Probability that the text names its task.</summary>
    public double PrefixProbability { get; init; }

    /// <summary>Reads <c>{augmentations, prefix_prob}</c>.</summary>
    /// <param name="json">The object.</param>
    /// <param name="defaultPrefixProbability">Where none is given: 0 in training, 1 in validation.</param>
    internal static AugmentationOptions Read(JsonElement json, double defaultPrefixProbability) => new()
    {
        Wordings = [.. json.GetProperty("augmentations").EnumerateObject().Select(a => KeyValuePair.Create(a.Name, a.Value.GetDouble()))],
        PrefixProbability = json.TryGetProperty("prefix_prob", out var probability) ? probability.GetDouble() : defaultPrefixProbability,
    };
}

/// <summary>
/// Mixes data sets to virtual epochs. Each epoch takes the next share of each data set, so that after all of them every data set has
/// been passed over as often as its weight says.
/// </summary>
public sealed class Blend
{
    private readonly List<(BlendEntry Entry, Manifest Manifest, IReadOnlyList<KeyValuePair<string, DatasetItem>> Shuffled)> _sources;

    /// <summary>Reads the manifests of a mixture.</summary>
    /// <param name="entries">The data sets, in the order of the configuration.</param>
    /// <param name="globalWeight">Share of the whole training in one epoch: 1 / epochs.</param>
    /// <param name="dataRoot">The folder that the names of recordings are relative to.</param>
    /// <param name="open">Gives the JSON of the manifest with a name, e.g. <see cref="Manifest.InFolder"/>.</param>
    /// <exception cref="FlamingoException">A manifest cannot be read or a weight is not positive.</exception>
    public Blend(IReadOnlyList<BlendEntry> entries, double globalWeight, string dataRoot, Func<string, JsonElement> open)
    {
        (Entries, GlobalWeight) = (entries, globalWeight);
        _sources = [.. entries.Select(entry =>
        {
            if (!(globalWeight * entry.Weight > 0))
            {
                throw new FlamingoException(FlamingoErrorKind.Usage,
                    $"The data set '{entry.Name}' has the weight {globalWeight * entry.Weight}; expected more than 0.");
            }
            var manifest = Manifest.Read(entry.Name, dataRoot, open);
            return (entry, manifest, Shuffle(manifest.Items, entry.Name));
        })];
    }

    /// <summary>The data sets.</summary>
    public IReadOnlyList<BlendEntry> Entries { get; }

    /// <summary>Share of the whole training in one epoch.</summary>
    public double GlobalWeight { get; }

    /// <summary>Reads the data sets of a configuration: <c>{name: {weight, augmentations, prefix_prob}}</c>.</summary>
    public static IReadOnlyList<BlendEntry> ReadEntries(JsonElement config) => [.. config.EnumerateObject().Select(entry => new BlendEntry
    {
        Name = entry.Name,
        Weight = entry.Value.GetProperty("weight").GetDouble(),
        Augmentation = AugmentationOptions.Read(entry.Value, defaultPrefixProbability: 0),
    })];

    /// <summary>The items of a virtual epoch, data set after data set; <see cref="EpochOrder"/> gives the order to train in.</summary>
    public IReadOnlyList<DatasetItem> Epoch(int epoch) => [.. _sources.SelectMany(s => Share(s.Entry, s.Manifest, s.Shuffled, epoch))];

    /// <summary>The first items of each data set, to look at.</summary>
    public IEnumerable<DatasetItem> Samples(int each) => _sources.SelectMany(s => s.Shuffled.Take(each).Select(i => i.Value));

    /// <summary>Items of a virtual epoch.</summary>
    public int CountOf(int epoch) => (int)_sources.Sum(s =>
    {
        var (start, end) = RangeOf(s.Entry, s.Manifest, epoch);
        return end - start;
    });

    /// <summary>A data set in the order of validation.</summary>
    /// <param name="name">Its name in the configuration.</param>
    /// <param name="dataRoot">The folder that the names of recordings are relative to.</param>
    /// <param name="open">Gives the JSON of the manifest with a name.</param>
    /// <param name="limit">Items to take at most; the reference takes 64 in validation, all in a test.</param>
    public static IReadOnlyList<DatasetItem> Validation(string name, string dataRoot, Func<string, JsonElement> open, int limit = 64)
    {
        var shuffled = Shuffle(Manifest.Read(name, dataRoot, open).Items, name).ToDictionary(StringComparer.Ordinal);
        return [.. Enumerable.Range(0, Math.Min(limit, shuffled.Count)).Select(i => Find(shuffled, name, i))];
    }

    private IEnumerable<DatasetItem> Share(BlendEntry entry, Manifest manifest, IReadOnlyList<KeyValuePair<string, DatasetItem>> shuffled, int epoch)
    {
        long total = manifest.Total;
        var (start, end) = RangeOf(entry, manifest, epoch);
        var current = shuffled.ToDictionary(StringComparer.Ordinal);
        for (long i = start; i < end; i++)
        {
            // A new pass is shuffled anew where it begins; an epoch that begins inside a pass keeps the first order until then.
            if (i > 0 && i % total == 0)
                current = Shuffle(shuffled, $"{entry.Name}-epoch-{i / total}").ToDictionary(StringComparer.Ordinal);
            yield return Find(current, entry.Name, i % total);
        }
    }

    private (long Start, long End) RangeOf(BlendEntry entry, Manifest manifest, int epoch)
    {
        double weight = GlobalWeight * entry.Weight;
        return ((long)(epoch * manifest.Total * weight), (long)((epoch + 1) * manifest.Total * weight));
    }

    private static DatasetItem Find(Dictionary<string, DatasetItem> items, string name, long index) =>
        items.TryGetValue(index.ToString(CultureInfo.InvariantCulture), out var item) ? item : throw new FlamingoException(FlamingoErrorKind.Input,
            $"The manifest '{name}' has no item with the key {index}; expected keys from 0 to its number of items less one.");

    // The keys stay where they are; their items change places.
    private static List<KeyValuePair<string, DatasetItem>> Shuffle(IReadOnlyList<KeyValuePair<string, DatasetItem>> items, string seed)
    {
        int[] order = [.. Enumerable.Range(0, items.Count)];
        new NumpyGenerator(NumpyGenerator.SeedOf(seed)).Shuffle(order);
        return [.. items.Select((item, i) => KeyValuePair.Create(item.Key, items[order[i]].Value))];
    }
}
