using FlamingoSharp.Retrieval;
using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Cli.Retrieval;

/// <summary>What <c>index build</c> and <c>index add</c> take: sounds in folders, data sets, manifests.</summary>
internal static class IndexSources
{
    private const string SetFile = "set.json";

    /// <summary>The sounds that arguments name.</summary>
    /// <param name="arguments">Folders of class folders, folders of a data set, manifests, or sound files.</param>
    /// <param name="split">Only manifests of this split; null takes all.</param>
    /// <param name="labels">Labels of files that are named one by one.</param>
    /// <exception cref="FlamingoException">One does not exist, or holds no sounds.</exception>
    public static IReadOnlyList<SoundEntry> Find(IEnumerable<string> arguments, string? split, IReadOnlyList<string> labels)
    {
        SoundEntry[] found = [.. arguments.SelectMany(argument =>
            File.Exists(Path.Combine(argument, SetFile)) ? OfSet(argument, split)
            : Directory.Exists(argument) ? SoundFolders.Find(argument)
            : argument.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? OfManifest(argument)
            : InputFiles.Expand([argument]).Select(file => new SoundEntry(file) { Labels = labels }))];
        // Said before a model is loaded and an index made; one bad file among good ones is told later, and the others are added.
        return found.Any(f => File.Exists(f.Path)) ? found : throw new FlamingoException(FlamingoErrorKind.Input, $"'{found[0].Path}' does not exist; check the path.");
    }

    private static IReadOnlyList<SoundEntry> OfSet(string folder, string? split)
    {
        string[] manifests = [.. Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories)
            .Where(f => Path.GetFileName(f) != SetFile && !Path.GetFileName(f).StartsWith("interleaved", StringComparison.Ordinal))
            .Where(f => split is null || Path.GetFileNameWithoutExtension(f) == split).Order(StringComparer.Ordinal)];
        if (manifests.Length == 0)
            throw new FlamingoException(FlamingoErrorKind.Input, split is null ? $"The data set '{folder}' has no manifest." : $"The data set '{folder}' has no manifest of the split '{split}'.");
        return Joined(manifests.SelectMany(m => Entries(folder, Path.ChangeExtension(Path.GetRelativePath(folder, m), null))));
    }

    private static IReadOnlyList<SoundEntry> OfManifest(string file)
    {
        if (!File.Exists(file))
            throw new FlamingoException(FlamingoErrorKind.Input, $"There is no manifest '{file}'.");
        string folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        string above = Path.GetDirectoryName(folder) ?? folder;
        return File.Exists(Path.Combine(above, SetFile))
            ? Joined(Entries(above, Path.Combine(Path.GetFileName(folder), Path.GetFileNameWithoutExtension(file))))
            : Joined(Entries(folder, Path.GetFileNameWithoutExtension(file)));
    }

    private static IEnumerable<SoundEntry> Entries(string folder, string name)
    {
        var manifest = Manifest.Read(name, "", Manifest.InFolder(folder));
        bool captions = manifest.Task.Contains("Captioning", StringComparison.Ordinal), classes = manifest.Task.Contains("Classification", StringComparison.Ordinal);
        return manifest.Items.SelectMany(i => i.Value.Examples).Select(e => new SoundEntry(Path.Combine(folder, e.Name))
        {
            StartSeconds = e.AudioStart,
            DurationSeconds = e.AudioDuration,
            Labels = e.Labels.Count > 0 ? e.Labels : classes && e.Output.Length > 0 ? [.. e.Output.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)] : [],
            Caption = captions && e.Output.Length > 0 ? e.Output : null,
        });
    }

    // A sound that several items are about is one sound.
    private static IReadOnlyList<SoundEntry> Joined(IEnumerable<SoundEntry> entries) => [.. entries
        .GroupBy(e => (e.Path, e.StartSeconds, e.DurationSeconds))
        .Select(g => g.First() with { Labels = [.. g.SelectMany(e => e.Labels).Distinct()], Caption = g.Select(e => e.Caption).FirstOrDefault(c => c is not null) })];
}
