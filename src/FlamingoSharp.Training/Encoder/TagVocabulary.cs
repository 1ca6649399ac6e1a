namespace FlamingoSharp.Training;

/// <summary>One sound of the tagging task.</summary>
/// <param name="Id">Key of its spectrogram.</param> <param name="Concept">What it is, if it is one thing; null otherwise.</param>
/// <param name="Labels">Everything that is said of it.</param> <param name="Weight">How often it is drawn, relative to the others.</param>
public sealed record TaggedSound(string Id, string? Concept, IReadOnlyList<string> Labels, double Weight);

/// <summary>The tags and concepts that an encoder learns, in a fixed order.</summary>
public sealed class TagVocabulary
{
    private readonly Dictionary<string, int> _tags;
    private readonly Dictionary<string, int> _concepts;

    /// <summary>Collects what enough training sounds carry.</summary>
    public TagVocabulary(IEnumerable<TaggedSound> training, int minimumCount)
    {
        var sounds = training.ToList();
        _tags = Frequent(sounds.SelectMany(s => s.Labels.Distinct()), minimumCount);
        _concepts = Frequent(sounds.Select(s => s.Concept).OfType<string>(), minimumCount: 1);
    }

    /// <summary>Number of tags.</summary>
    public int Tags => _tags.Count;

    /// <summary>Number of concepts.</summary>
    public int Concepts => _concepts.Count;

    /// <summary>The numbers of a sound's tags.</summary>
    public IEnumerable<int> TagsOf(TaggedSound sound) =>
        sound.Labels.Distinct().Where(_tags.ContainsKey).Select(label => _tags[label]);

    /// <summary>The number of a sound's concept; -1 if it has none that is known.</summary>
    public int ConceptOf(TaggedSound sound) => sound.Concept is { } c && _concepts.TryGetValue(c, out int index) ? index : -1;

    private static Dictionary<string, int> Frequent(IEnumerable<string> names, int minimumCount) =>
        names.CountBy(n => n).Where(c => c.Value >= minimumCount).Select(c => c.Key).Order(StringComparer.Ordinal)
            .Select((name, index) => (name, index)).ToDictionary(p => p.name, p => p.index);
}
