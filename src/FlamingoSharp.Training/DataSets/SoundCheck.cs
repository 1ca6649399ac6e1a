using System.Globalization;
using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.DataSets;

/// <summary>Looks at every recording behind manifests: once each, however many items are about it.</summary>
internal sealed class SoundCheck
{
    private sealed record Use(string Manifest, string Split, string Item);

    private readonly OpenedManifests _opened;
    private readonly Dictionary<Stretch, int> _places;
    private readonly List<Use>[] _uses;
    private readonly SoundFacts[] _facts;

    private SoundCheck(OpenedManifests opened, Dictionary<Stretch, int> places, List<Use>[] uses, SoundFacts[] facts) =>
        (_opened, _places, _uses, _facts) = (opened, places, uses, facts);

    /// <summary>Reads the recordings, some at a time.</summary>
    public static SoundCheck Read(OpenedManifests opened, bool withPrints, Action<double>? progress, CancellationToken cancellation)
    {
        Dictionary<Stretch, int> places = [];
        List<List<Use>> uses = [];
        foreach (var manifest in opened.Manifests.Where(m => !m.HasShots))
        {
            foreach (var (key, item) in manifest.Manifest.Items)
            {
                var stretch = StretchOf(opened, item.Examples[^1]);
                if (places.TryAdd(stretch, uses.Count))
                    uses.Add([]);
                uses[places[stretch]].Add(new(manifest.Name, manifest.Split, key));
            }
        }
        return new(opened, places, [.. uses], SoundFacts.Of([.. places.Keys], withPrints, progress, cancellation));
    }

    /// <summary>How much sound a manifest has.</summary>
    public CheckedManifest Summary(OpenedManifest manifest)
    {
        var heard = manifest.Manifest.Items.SelectMany(i => i.Value.Examples).Select(e => StretchOf(_opened, e)).Distinct()
            .Select(s => _places.TryGetValue(s, out int place) ? _facts[place] : null).Where(f => f is { Error: null }).ToList();
        return new(manifest.Name, manifest.Manifest.Items.Count, heard.Count, heard.Sum(f => Math.Min(30, f!.Seconds)) / 60);
    }

    /// <summary>What is wrong with the recordings.</summary>
    /// <param name="minimumSeconds">Shorter ones are faults.</param>
    public IEnumerable<DataFault> Faults(double minimumSeconds) => OwnFaults(minimumSeconds).Concat(Copies()).Concat(NearCopies());

    private IEnumerable<DataFault> OwnFaults(double minimumSeconds)
    {
        for (int i = 0; i < _facts.Length; i++)
        {
            var facts = _facts[i];
            string path = facts.Stretch.Path;
            if (!File.Exists(path))
                yield return Fault(i, DataFaultKind.Missing, $"'{path}' does not exist.");
            else if (facts.Error is { } error)
                yield return Fault(i, DataFaultKind.Unreadable, error);
            else if (facts.IsSilent)
                yield return Fault(i, DataFaultKind.Silent, $"'{path}' is silent: every sample is 0.", isError: false);
            else if (facts.Seconds < minimumSeconds)
                yield return Fault(i, DataFaultKind.TooShort, string.Create(CultureInfo.InvariantCulture, $"'{path}' is {facts.Seconds:0.####} s long; at least {minimumSeconds} s are expected."));
        }
    }

    private IEnumerable<DataFault> Copies()
    {
        foreach (var same in Enumerable.Range(0, _facts.Length).Where(i => _facts[i].Error is null).GroupBy(i => _facts[i].Hash).Where(g => g.Count() > 1 || SplitsOf(g.First()).Count() > 1))
        {
            int first = same.First();
            foreach (string split in SplitsOf(first).Skip(1))
                yield return Leak(first, first, split);
            int[] members = [.. same];
            for (int b = 1; b < members.Length; b++)
            {
                int other = members[..b].Where(a => Overlap(_facts[a].Stretch, _facts[members[b]].Stretch)).Append(-1).First();
                if (other < 0)
                    continue;
                var strange = SplitsOf(members[b]).Except(SplitsOf(other)).ToList();
                if (strange.Count > 0)
                    yield return Leak(other, members[b], strange[0]);
                else if (_facts[other].Stretch.Path != _facts[members[b]].Stretch.Path)
                    yield return Fault(members[b], DataFaultKind.Duplicate, $"'{_facts[members[b]].Stretch.Path}' has the same content as '{_facts[other].Stretch.Path}'.", isError: false);
            }
        }
    }

    private DataFault Leak(int one, int other, string split)
    {
        var use = _uses[other].First(u => u.Split == split);
        string content = one == other ? $"'{_facts[other].Stretch.Path}' is in" : $"'{_facts[other].Stretch.Path}' has the content of '{_facts[one].Stretch.Path}' in";
        return new(DataFaultKind.Leak, use.Manifest, use.Item, $"{content} the split '{SplitsOf(one).First(s => s != split)}' as well: what is tested would have been learnt.", IsError: true);
    }

    private IEnumerable<DataFault> NearCopies()
    {
        foreach (var (a, b) in NearDuplicates.Pairs(_facts))
        {
            if (_facts[a].Hash != _facts[b].Hash && SplitsOf(b).Except(SplitsOf(a)).FirstOrDefault() is { } split)
            {
                var use = _uses[b].First(u => u.Split == split);
                yield return new(DataFaultKind.NearLeak, use.Manifest, use.Item,
                    $"'{_facts[b].Stretch.Path}' is nearly the same as '{_facts[a].Stretch.Path}' in the split '{SplitsOf(a).First()}'.", IsError: false);
            }
        }
    }

    private static bool Overlap(Stretch a, Stretch b) =>
        a.Start < b.Start + (b.Duration ?? double.MaxValue) && b.Start < a.Start + (a.Duration ?? double.MaxValue);

    private IEnumerable<string> SplitsOf(int sound) => _uses[sound].Select(u => u.Split).Distinct(StringComparer.Ordinal);

    private DataFault Fault(int sound, DataFaultKind kind, string message, bool isError = true)
    {
        var use = _uses[sound][0];
        return new(kind, use.Manifest, use.Item, _uses[sound].Count > 1 ? $"{message[..^1]} ({_uses[sound].Count} items)." : message, isError);
    }

    private static Stretch StretchOf(OpenedManifests opened, Example example) =>
        new(Path.GetFullPath(Path.Combine(opened.SoundFolder, example.Name)), example.AudioStart, example.AudioDuration);
}
