using System.Numerics.Tensors;
using FlamingoSharp.Retrieval;
using FlamingoSharp.Text;
using SplitMix = FlamingoSharp.Training.Sounds.SplitMix;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>The labelled sounds of an index, and which of them may be an example of which sound.</summary>
internal sealed class FewShotPool
{
    private readonly Func<IndexedSound, string?> _groupOf;
    private readonly double _duplicate = new QueryOptions().DuplicateSimilarity;
    private readonly Dictionary<string, string> _labels;
    private readonly ILookup<string, IndexedSound> _byLabel;
    private readonly IndexedSound[] _byId;

    private FewShotPool(IReadOnlyList<IndexedSound> sounds, Func<IndexedSound, string?> groupOf)
    {
        (Sounds, _groupOf) = (sounds, groupOf);
        _byId = [.. sounds.OrderBy(s => s.Id, StringComparer.Ordinal)]; // a draw does not depend on the order in which they were added
        _labels = sounds.SelectMany(s => s.Labels).Select(TextForms.Strip).Distinct(StringComparer.OrdinalIgnoreCase).ToDictionary(l => l, StringComparer.OrdinalIgnoreCase);
        Labels = [.. _labels.Values.Order(StringComparer.Ordinal)];
        _byLabel = sounds.SelectMany(s => RightOf(s).Select(l => (Label: l, Sound: s))).ToLookup(p => p.Label, p => p.Sound);
    }

    /// <summary>The sounds, in the order in which they were added.</summary>
    public IReadOnlyList<IndexedSound> Sounds { get; }

    /// <summary>Their labels, by name; two that differ in case only are one.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>Reads an index.</summary>
    /// <exception cref="FlamingoException">It has no labels.</exception>
    public static async Task<FewShotPool> ReadAsync(SoundStore store, Func<IndexedSound, string?> groupOf, CancellationToken cancellation)
    {
        var sounds = await store.ScanAsync(vectors: true, cancellation).Where(s => s.Labels.Count > 0).ToListAsync(cancellation).ConfigureAwait(false);
        return sounds.Count > 0 ? new(sounds, groupOf) : throw new FlamingoException(FlamingoErrorKind.Usage,
            $"No sound of the index '{store.Name}' has a label. Build it from class folders or a manifest with labels.");
    }

    /// <summary>The labels of a sound, as the index writes them.</summary>
    public IReadOnlyList<string> RightOf(IndexedSound sound) => [.. sound.Labels.Select(l => _labels.GetValueOrDefault(TextForms.Strip(l))).OfType<string>().Distinct()];

    /// <summary>Whether a label of a sound is also that of one that may be its example.</summary>
    public bool HasRival(IndexedSound sound)
    {
        var mayShow = MayShow(sound);
        return RightOf(sound).Any(label => _byLabel[label].Any(s => mayShow(s) && !Same(sound, s)));
    }

    /// <summary>Whether a sound of the index may be an example of another, as far as labels and groups say.</summary>
    public Func<IndexedSound, bool> MayShow(IndexedSound asked)
    {
        string? group = _groupOf(asked);
        return shown => shown.Labels.Count > 0 && (group is null || _groupOf(shown) != group);
    }

    /// <summary>Examples drawn for a sound; the first of a draw of more are those of a draw of fewer.</summary>
    public IReadOnlyList<SoundMatch> Draw(IndexedSound asked, int count, int seed)
    {
        // The draw of a sound does not depend on what else is asked.
        var random = SplitMix.For($"shots:{seed}:{asked.Id}");
        var mayShow = MayShow(asked);
        IndexedSound[] order = [.. _byId];
        List<SoundMatch> drawn = [];
        for (int i = 0; i < order.Length && drawn.Count < count; i++)
        {
            int at = i + random.Next(order.Length - i);
            (order[i], order[at]) = (order[at], order[i]);
            if (mayShow(order[i]) && !Same(asked, order[i]))
                drawn.Add(new(order[i], TensorPrimitives.CosineSimilarity(asked.Embedding.Span, order[i].Embedding.Span)));
        }
        return drawn;
    }

    private bool Same(IndexedSound a, IndexedSound b) =>
        a.Hash == b.Hash || TensorPrimitives.CosineSimilarity(a.Embedding.Span, b.Embedding.Span) >= _duplicate;
}
