using System.IO.Enumeration;

namespace FlamingoSharp.Hub;

/// <summary>Paths of files inside a repository, as a hub names them. They become paths on this machine, so a hostile one must not lead out.</summary>
internal static class HubPath
{
    private const int MostBytesOfName = 255;
    private const int MostCharacters = 1024;

    /// <summary>True for a relative path of plain names with slashes between.</summary>
    public static bool IsSafe(string path) =>
        path.Length is > 0 and <= MostCharacters && path.Split('/').All(IsPlainName);

    /// <summary>Checks a repository's list of files.</summary>
    /// <exception cref="FlamingoException">A name would lead out of the folder, or cannot be a file beside the others.</exception>
    public static void CheckAll(IReadOnlyCollection<string> paths, string repository)
    {
        var files = new HashSet<string>(StringComparer.Ordinal);
        foreach (string path in paths)
        {
            if (!IsSafe(path))
                throw Hostile(repository, path, "which would lead out of its folder");
            if (!files.Add(path))
                throw Hostile(repository, path, "twice");
        }
        foreach (string path in paths)
        {
            for (int slash = path.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = path.IndexOf('/', slash + 1))
            {
                if (files.Contains(path[..slash]))
                    throw Hostile(repository, path[..slash], "both as a file and as a folder");
            }
        }
    }

    /// <summary>The paths that are wanted: those that any of <paramref name="include"/> matches (all, if there is none) and none of <paramref name="exclude"/>.</summary>
    /// <remarks>As in Python's tools a * also matches slashes, and a pattern that ends with a slash stands for the whole folder.</remarks>
    public static IReadOnlyList<string> Select(IEnumerable<string> paths, IReadOnlyList<string> include, IReadOnlyList<string> exclude) =>
        [.. paths.Where(p => (include.Count == 0 || include.Any(i => Matches(i, p))) && !exclude.Any(e => Matches(e, p)))];

    /// <summary>The path as a part of an address.</summary>
    public static string Escape(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));

    private static bool Matches(string pattern, string path) =>
        FileSystemName.MatchesSimpleExpression(pattern.EndsWith('/') ? pattern + "*" : pattern, path, ignoreCase: false);

    // A colon and a backslash mean something on Windows, a leading or trailing blank or control character nothing good anywhere.
    private static bool IsPlainName(string name) =>
        name.Length > 0 && name is not ("." or "..") && !name.AsSpan().ContainsAny('\\', ':') && !name.Any(char.IsControl)
        && name.Trim() == name && System.Text.Encoding.UTF8.GetByteCount(name) <= MostBytesOfName;

    private static FlamingoException Hostile(string repository, string path, string what) => new(
        FlamingoErrorKind.Model, $"'{repository}' lists the file '{HubText.Line(path)}' {what}; nothing of it was downloaded.");
}
