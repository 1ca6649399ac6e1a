namespace FlamingoSharp.Training.DataSets.Sources;

/// <summary>Which files of a folder are taken for sounds, by their names; what they really are is seen when they are read.</summary>
internal static class SoundNames
{
    private static readonly HashSet<string> s_endings = new(StringComparer.OrdinalIgnoreCase)
    {
        ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".mp4", ".aac", ".aif", ".aiff", ".aifc", ".au", ".caf", ".wma", ".webm", ".mka", ".mkv", ".amr", ".wv",
    };

    /// <summary>True for a name with the ending of a sound format.</summary>
    public static bool IsSound(string path) => s_endings.Contains(Path.GetExtension(path)) && !Path.GetFileName(path).StartsWith('.');

    /// <summary>The first file of a name without ending that there is, with any ending of a sound format.</summary>
    public static string? WithAnyEnding(string pathWithoutEnding) =>
        s_endings.Select(e => pathWithoutEnding + e).FirstOrDefault(File.Exists);

    /// <summary>Every sound below a folder, in the order of their paths.</summary>
    public static IEnumerable<string> Below(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(IsSound).Order(StringComparer.Ordinal);
}
