using System.Globalization;

namespace FlamingoSharp.Embeddings;

/// <summary>How well a label fits a sound.</summary>
/// <param name="Label">As it was given.</param>
/// <param name="Probability">Among the labels given; they sum to 1.</param>
/// <param name="Similarity">Cosine between sound and label, from -1 to 1.</param>
public readonly record struct LabelScore(string Label, double Probability, double Similarity);

/// <summary>Sorts sounds into labels that nobody trained it for: the label whose text lies nearest to the sound in a CLAP model's space.</summary>
/// <remarks>
/// Labels are embedded once; after that each sound costs its own embedding and a few products. Probabilities are the softmax of similarities
/// times the model's trained scale (CLAP §3.3, arXiv 2211.06687). Safe for concurrent use.
/// </remarks>
public sealed class ZeroShot
{
    /// <summary>The text of a label, which stands in the place of <c>{0}</c>: LAION's wording.</summary>
    public const string LaionTemplate = "This is a sound of {0}.";

    /// <summary>The label itself.</summary>
    public const string PlainTemplate = "{0}";

    private readonly ClapModel _model;
    private readonly string[] _labels;
    private readonly IReadOnlyList<float[]> _texts;

    /// <summary>Embeds the labels.</summary>
    /// <param name="model">Must read text. It is not disposed.</param>
    /// <param name="labels">Two or more, no two the same.</param>
    /// <param name="template">The text of a label; null takes the wording that suits the model: <see cref="LaionTemplate"/> for LAION-CLAP, else <see cref="PlainTemplate"/>.</param>
    /// <exception cref="FlamingoException">There are too few labels, one is empty or there twice, the template has no place for it, or the model does not read.</exception>
    public ZeroShot(ClapModel model, IReadOnlyList<string> labels, string? template = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(labels);
        template ??= model.Config.Name == ClapConfig.Laion.Name ? LaionTemplate : PlainTemplate;
        if (labels.Count < 2)
            throw Wrong($"Zero-shot classification chooses among labels, but got {labels.Count}; give two or more.");
        if (labels.Any(string.IsNullOrWhiteSpace))
            throw Wrong("A label is empty; give every label a text.");
        if (labels.CountBy(l => l, StringComparer.Ordinal).FirstOrDefault(l => l.Value > 1).Key is { } twice)
            throw Wrong($"The label '{twice}' is there twice; give each once.");
        if (!template.Contains("{0}", StringComparison.Ordinal))
            throw Wrong($"The template '{template}' has no place for the label; write {{0}} where it goes.");
        Template = template;
        _model = model;
        _labels = [.. labels];
        _texts = model.EmbedTexts([.. labels.Select(l => template.Replace("{0}", l, StringComparison.Ordinal))]);
    }

    /// <summary>The text of a label, with <c>{0}</c> in its place.</summary>
    public string Template { get; }

    /// <summary>Scores every label for a sound.</summary>
    /// <param name="sound">Embedded by the same model.</param>
    /// <returns>The likeliest first.</returns>
    /// <exception cref="FlamingoException">The embedding has another number of dimensions.</exception>
    public IReadOnlyList<LabelScore> Score(ReadOnlySpan<float> sound)
    {
        if (sound.Length != _model.Dimensions)
            throw Wrong(string.Create(CultureInfo.InvariantCulture, $"The embedding has {sound.Length} numbers but those of '{_model.Config.Name}' have {_model.Dimensions}; embed the sound with the same model."));
        double[] similarities = new double[_labels.Length];
        for (int i = 0; i < similarities.Length; i++)
            similarities[i] = ClapModel.Similarity(sound, _texts[i]);
        double best = similarities.Max();
        double[] weights = [.. similarities.Select(s => Math.Exp(_model.LogitScale * (s - best)))];
        double sum = weights.Sum();
        return [.. Enumerable.Range(0, _labels.Length).Select(i => new LabelScore(_labels[i], weights[i] / sum, similarities[i])).OrderByDescending(s => s.Similarity)];
    }

    /// <summary>Hears a file and scores every label.</summary>
    /// <returns>The likeliest first.</returns>
    /// <exception cref="FlamingoException">The file is no sound.</exception>
    public IReadOnlyList<LabelScore> Classify(string path, CancellationToken cancellation = default) =>
        Score(_model.EmbedAudio(path, cancellation: cancellation).Vector);

    private static FlamingoException Wrong(string message) => new(FlamingoErrorKind.Usage, message);
}
