using FlamingoSharp.Retrieval;
using FlamingoSharp.Text;

namespace FlamingoSharp.Cli.Retrieval;

/// <summary>Examples that a person has chosen.</summary>
internal static class HandPicked
{
    /// <summary>Reads a folder of class folders, or a file of lines <c>sound TAB answer</c>, whose paths are relative to it.</summary>
    /// <param name="path">The folder or file.</param> <param name="most">Examples at most; of a folder as many from each class as fit.</param>
    /// <exception cref="FlamingoException">There is none, or it holds no examples of that form.</exception>
    public static ShotSet Read(string path, int most)
    {
        var entries = Directory.Exists(path) ? OfFolder(path) : OfLines(path);
        if (entries.Count == 0)
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}' holds no examples: give class folders with sounds, or lines with a sound, a tab and its answer.");
        return new ShotSet(ShotChoice.Similar, [.. entries.Take(most)]);
    }

    // One of each class, then the second of each: few examples then still show every class.
    private static IReadOnlyList<ShotEntry> OfFolder(string path) => [.. SoundFolders.Find(path).Where(s => s.Labels.Count > 0)
        .GroupBy(s => s.Labels[0]).SelectMany(g => g.Select((s, turn) => (Turn: turn, Entry: new ShotEntry(s.Path, g.Key))))
        .OrderBy(s => s.Turn).Select(s => s.Entry)];

    private static IReadOnlyList<ShotEntry> OfLines(string path)
    {
        if (!File.Exists(path))
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}' does not exist; check the path.");
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return [.. File.ReadLines(path).Where(l => l.Trim().Length > 0).Select((line, i) => line.Split('\t', 2) is [var sound, var answer] && answer.Trim().Length > 0
            ? new ShotEntry(Path.Combine(folder, sound.Trim()), answer.Trim())
            : throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}': line {i + 1} is not a sound, a tab and an answer."))];
    }
}
