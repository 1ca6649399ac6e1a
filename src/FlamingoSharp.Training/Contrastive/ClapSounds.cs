using FlamingoSharp.Training.Sounds;

namespace FlamingoSharp.Training;

/// <summary>A sound that a CLAP model learns from, with all that may be said of it.</summary>
/// <param name="Id">Key of its spectrogram.</param>
/// <param name="Kind">Sounds of one kind are alike, and are kept out of each other's batches: a clip's concept, a recipe's labels.</param>
/// <param name="Caption">A sentence.</param>
/// <param name="Texts">Everything that may stand for it: the caption, the list of its labels, its most specific label.</param>
/// <param name="Concept">What it is, as a text, if it is one thing of a known kind.</param>
/// <param name="Weight">How often it is drawn, relative to the others.</param>
/// <param name="Whole">True if its texts hold for all of its windows together only.</param>
internal sealed record ClapSound(string Id, string Kind, string Caption, IReadOnlyList<string> Texts, string? Concept, double Weight, bool Whole);

/// <summary>Sounds and texts of a catalogue, as a CLAP model learns them. Texts are in lower case and without spoken words.</summary>
internal static class ClapSounds
{
    /// <summary>The sounds of a split.</summary>
    /// <exception cref="FlamingoException">The split is empty.</exception>
    public static IReadOnlyList<ClapSound> Of(SoundCatalogue catalogue, MelStore mels, string split)
    {
        var texts = new TrainingTexts(catalogue, split, mels.IsUsable);
        var captions = texts.All().Where(t => t.Type == "caption").ToDictionary(t => t.Id, t => t.Answer);
        var concepts = ConceptNames(catalogue);
        return [.. texts.Sounds.Select(s => Sound(s, captions[s.Id], s is Clip { Concept: { } key } ? concepts[key] : null, texts.Weights.Weights[s.Id]))];
    }

    private static ClapSound Sound(LabelledSound sound, string caption, string? concept, double weight)
    {
        string[] labels = PlainLabels(sound);
        string list = string.Join(", ", labels);
        return new ClapSound(
            sound.Id,
            sound is Clip { Concept: { } key } ? key : list,
            caption,
            [.. new[] { caption, list, labels.FirstOrDefault() ?? "", concept ?? "" }.Where(t => t.Length > 0).Distinct()],
            concept,
            weight,
            Whole: sound is CompositionRecipe);
    }

    // Concepts are keys ("fs_rock"), not words: what people call one is the list of labels that most of its sounds carry.
    private static Dictionary<string, string> ConceptNames(SoundCatalogue catalogue) => catalogue.Clips.Where(c => c.Concept is not null)
        .GroupBy(c => c.Concept!).ToDictionary(
            g => g.Key,
            g => g.CountBy(c => string.Join(", ", PlainLabels(c))).OrderByDescending(l => l.Value).ThenBy(l => l.Key, StringComparer.Ordinal).First().Key);

    // Keyed labels (language:English, count:3) repeat a plain one or belong to a question.
    private static string[] PlainLabels(LabelledSound sound) => [.. sound.Labels.Where(l => !l.Contains(':')).Select(l => l.ToLowerInvariant())];
}
