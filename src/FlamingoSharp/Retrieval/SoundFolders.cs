namespace FlamingoSharp.Retrieval;

/// <summary>Sounds that lie in folders named after what is heard.</summary>
public static class SoundFolders
{
    private static readonly HashSet<string> s_extensions = new(StringComparer.OrdinalIgnoreCase)
    {
        ".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".wma", ".aif", ".aiff", ".au", ".webm", ".mp4", ".mka",
    };

    /// <summary>The sound files below a folder, in the order of their names; the label is the folder that a file lies in directly below it, if any.</summary>
    /// <param name="folder">The folder of class folders, or of sounds.</param>
    /// <exception cref="FlamingoException">There is no such folder, or no sound in it.</exception>
    public static IReadOnlyList<SoundEntry> Find(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder))
            throw new FlamingoException(FlamingoErrorKind.Input, $"There is no folder '{folder}'; check the path.");
        SoundEntry[] found = [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(f => s_extensions.Contains(Path.GetExtension(f))).Order(StringComparer.Ordinal)
            .Select(f => new SoundEntry(f) { Labels = LabelOf(Path.GetRelativePath(folder, f)) is { } label ? [label] : [] })];
        return found.Length > 0 ? found : throw new FlamingoException(FlamingoErrorKind.Input, $"There is no sound file in '{folder}' or below it.");
    }

    private static string? LabelOf(string relative) =>
        relative.Split(Path.DirectorySeparatorChar) is [var first, _, ..] ? first.Replace('_', ' ') : null;
}
