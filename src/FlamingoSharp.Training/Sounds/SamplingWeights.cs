namespace FlamingoSharp.Training.Sounds;

/// <summary>How often sounds are drawn for training.</summary>
public sealed record SamplingOptions
{
    /// <summary>
    /// A concept with n sounds gets a share in proportion to n to this power: 1 leaves the data as it is, 0 makes all concepts equal.
    /// </summary>
    public double ConceptExponent { get; init; } = 0.3;

    /// <summary>Factor for clips whose labels are weak.</summary>
    public double WeakLabels { get; init; } = 0.5;

    /// <summary>Share of each <see cref="SamplingWeights.CategoryOf">category</see>; those without sounds leave theirs to the others.</summary>
    public IReadOnlyDictionary<string, double> CategoryShares { get; init; } = new Dictionary<string, double>
    {
        ["sound"] = 0.46,
        ["music"] = 0.20,
        ["speech"] = 0.16,
        ["composition"] = 0.13,
        ["tone"] = 0.05,
    };
}

/// <summary>
/// Draws sounds so that neither a common concept (speech, keyboard clicks) nor a large domain drowns the rest.
/// </summary>
public sealed class SamplingWeights
{
    private readonly LabelledSound[] _sounds;
    private readonly double[] _cumulative;

    /// <summary>Weighs sounds.</summary>
    /// <param name="sounds">The sounds to draw from.</param>
    /// <param name="options">The balance.</param>
    /// <exception cref="FlamingoException">No category of the sounds has a share.</exception>
    public SamplingWeights(IEnumerable<LabelledSound> sounds, SamplingOptions? options = null)
    {
        options ??= new();
        _sounds = [.. sounds];
        double[] weights = new double[_sounds.Length];
        var categories = Enumerable.Range(0, _sounds.Length).GroupBy(i => CategoryOf(_sounds[i])).OrderBy(g => g.Key, StringComparer.Ordinal);
        foreach (var category in categories)
        {
            double share = options.CategoryShares.GetValueOrDefault(category.Key);
            foreach (var concept in category.GroupBy(i => ConceptOf(_sounds[i])))
            {
                double each = Math.Pow(concept.Count(), options.ConceptExponent) / concept.Count();
                foreach (int i in concept)
                    weights[i] = each * (_sounds[i] is Clip { LabelQuality: "weak" } ? options.WeakLabels : 1);
            }
            double sum = category.Sum(i => weights[i]);
            foreach (int i in category)
                weights[i] *= share / sum;
        }

        double total = weights.Sum();
        if (!(total > 0))
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"None of the {_sounds.Length} sounds has a share in the sampling: give a share to one of {string.Join(", ", options.CategoryShares.Keys)}.");
        }
        _cumulative = new double[weights.Length];
        double running = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            running += weights[i] / total;
            _cumulative[i] = running;
        }
        Weights = _sounds.Zip(weights).ToDictionary(p => p.First.Id, p => p.Second / total);
    }

    /// <summary>Probability of each sound, by id; they sum to 1.</summary>
    public IReadOnlyDictionary<string, double> Weights { get; }

    /// <summary>speech, music, sound, composition or tone: what shares are given to.</summary>
    /// <param name="sound">A clip or recipe.</param>
    public static string CategoryOf(LabelledSound sound) => sound switch
    {
        CompositionRecipe => "composition",
        ToneRecipe => "tone",
        _ => sound.Domain,
    };

    /// <summary>The kind of sound within its category: a clip's concept, a language, an instrument, a way of composing, a wave.</summary>
    /// <param name="sound">A clip or recipe.</param>
    public static string ConceptOf(LabelledSound sound) => sound switch
    {
        Clip { Concept: { } concept } => concept,
        MusicRecipe music => music.Instrument ?? "drum kit",
        CompositionRecipe composition => composition.Composition.ToString().ToLowerInvariant(),
        ToneRecipe tone => tone.Labels is [var first, ..] ? first : tone.Wave,
        _ => sound.Labels.FirstOrDefault(l => l.StartsWith("language:", StringComparison.Ordinal)) ?? sound.Domain,
    };

    internal LabelledSound Draw(ref SplitMix random)
    {
        int at = Array.BinarySearch(_cumulative, random.NextDouble());
        return _sounds[Math.Min(at < 0 ? ~at : at + 1, _sounds.Length - 1)];
    }
}
