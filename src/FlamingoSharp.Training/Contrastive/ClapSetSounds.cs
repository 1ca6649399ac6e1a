using System.Globalization;
using FlamingoSharp.Training.Data;
using FlamingoSharp.Training.DataSets;
using FlamingoSharp.Training.Stages;

namespace FlamingoSharp.Training;

/// <summary>
/// Sounds and texts of a data set, as a CLAP model learns them: what captions, tags and classes say of a sound, whichever manifests say it.
/// Questions and dialogues are no texts of a sound and are left out.
/// </summary>
internal static class ClapSetSounds
{
    /// <summary>The sounds of a split, in the order of its manifests.</summary>
    /// <param name="set">The data set.</param> <param name="split">Which sounds.</param> <param name="hear">Gives the spectrograms of a sound.</param>
    /// <returns>Empty if the data set has no such split, or nothing to learn from in it.</returns>
    /// <exception cref="FlamingoException">A manifest is missing or corrupt.</exception>
    public static IReadOnlyList<ClapSound> Of(DataSet set, string split, Func<SoundPart, SoundFeatures> hear)
    {
        if (!set.Splits.Contains(split, StringComparer.Ordinal))
            return [];
        var said = new Dictionary<SoundPart, Said>();
        var order = new List<SoundPart>();
        foreach (var manifest in set.Of(split))
        {
            var kind = set.Task(manifest.Task).Kind;
            if (kind is not (TaskKind.Captioning or TaskKind.Tagging or TaskKind.Classification))
                continue;
            foreach (var (_, item) in set.Read(manifest).Items)
            {
                var example = item.Examples[^1];
                var part = new SoundPart(set.SoundPath(example.Name), example.AudioStart, example.AudioDuration);
                if (!said.TryGetValue(part, out var texts))
                {
                    said[part] = texts = new Said([], []);
                    order.Add(part);
                }
                texts.Add(kind, example);
            }
        }
        return [.. order.Where(p => said[p].Captions.Count + said[p].Labels.Count > 0).Select(p => Sound(p, said[p], hear))];
    }

    private static ClapSound Sound(SoundPart part, Said said, Func<SoundPart, SoundFeatures> hear)
    {
        string list = string.Join(", ", said.Labels);
        List<string> captions = said.Captions.Count > 0 ? said.Captions : [list];
        return new ClapSound
        {
            Id = string.Create(CultureInfo.InvariantCulture, $"{part.Path}|{part.Start}|{part.Duration}"),
            Kind = list.Length > 0 ? list : captions[0],
            Captions = captions,
            Names = [.. new[] { list, said.Labels.FirstOrDefault() ?? "" }.Where(t => t.Length > 0 && !captions.Contains(t)).Distinct()],
            Labels = said.Labels,
            Path = part.Path,
            Hear = () => hear(part),
        };
    }

    private sealed record Said(List<string> Captions, List<string> Labels)
    {
        public void Add(TaskKind kind, Example example)
        {
            if (kind == TaskKind.Captioning)
            {
                Into(Captions, example.References.Count > 0 ? example.References : [example.Output]);
                Into(Labels, example.Labels);
            }
            else if (kind == TaskKind.Tagging)
            {
                Into(Labels, example.Labels.Count > 0 ? example.Labels : example.Output.Split(", "));
            }
            else
            {
                Into(Labels, [example.Output]);
            }
        }

        private static void Into(List<string> texts, IEnumerable<string> more) =>
            texts.AddRange(more.Select(t => t.Trim()).Where(t => t.Length > 0).Distinct(StringComparer.Ordinal).Except(texts, StringComparer.Ordinal).ToList());
    }
}
