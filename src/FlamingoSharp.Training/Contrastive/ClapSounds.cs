using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Training.Stages;

namespace FlamingoSharp.Training;

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
        return [.. texts.Sounds.Select(s => Sound(s, captions[s.Id], s is Clip { Concept: { } key } ? concepts[key] : null, texts.Weights.Weights[s.Id], mels))];
    }

    private static ClapSound Sound(LabelledSound sound, string caption, string? concept, double weight, MelStore mels)
    {
        string[] labels = PlainLabels(sound);
        string list = string.Join(", ", labels);
        return new ClapSound
        {
            Id = sound.Id,
            Kind = sound is Clip { Concept: { } key } ? key : list,
            Captions = [caption],
            Names = [.. new[] { list, labels.FirstOrDefault() ?? "", concept ?? "" }.Where(t => t.Length > 0 && t != caption).Distinct()],
            Labels = concept is null ? [] : [concept],
            Weight = weight,
            Whole = sound is CompositionRecipe,
            Hear = () => Windows(mels, sound.Id),
        };
    }

    private static SoundFeatures Windows(MelStore mels, string id)
    {
        int count = mels.WindowsOf(id), size = mels.Options.WindowValues;
        float[] values = new float[count * size];
        for (int w = 0; w < count; w++)
            mels.CopyTo(id, w, values.AsSpan(w * size, size));
        return new SoundFeatures([count, mels.Options.Frames, mels.Options.Mel.Mels], values);
    }

    // Concepts are keys ("fs_rock"), not words: what people call one is the list of labels that most of its sounds carry.
    private static Dictionary<string, string> ConceptNames(SoundCatalogue catalogue) => catalogue.Clips.Where(c => c.Concept is not null)
        .GroupBy(c => c.Concept!).ToDictionary(
            g => g.Key,
            g => g.CountBy(c => string.Join(", ", PlainLabels(c))).OrderByDescending(l => l.Value).ThenBy(l => l.Key, StringComparer.Ordinal).First().Key);

    // Keyed labels (language:English, count:3) repeat a plain one or belong to a question.
    private static string[] PlainLabels(LabelledSound sound) => [.. sound.Labels.Where(l => !l.Contains(':')).Select(l => l.ToLowerInvariant())];
}
