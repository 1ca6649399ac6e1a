using System.IO.Enumeration;

namespace FlamingoSharp.Cli;

/// <summary>The files that arguments name; wildcards that no shell has expanded are expanded here.</summary>
internal static class InputFiles
{
    /// <summary>Files in the order of the arguments, those of one pattern by name. A pattern that matches nothing stays as it is.</summary>
    /// <param name="arguments">Paths, or patterns with <c>*</c>, <c>?</c> and <c>**</c>.</param>
    public static IReadOnlyList<string> Expand(IEnumerable<string> arguments) => [.. arguments.SelectMany(Expand)];

    private static IEnumerable<string> Expand(string argument)
    {
        if (!IsPattern(argument) || File.Exists(argument))
            return [argument];
        string root = Path.GetPathRoot(argument) ?? "";
        string[] segments = argument[root.Length..].Split('/', '\\').Where(s => s.Length > 0).ToArray();
        string[] found = [.. Matches(root, segments, 0).Order(StringComparer.Ordinal)];
        return found.Length == 0 ? [argument] : found;
    }

    private static IEnumerable<string> Matches(string folder, string[] segments, int next)
    {
        string here = folder.Length == 0 ? "." : folder;
        string segment = segments[next];
        bool last = next == segments.Length - 1;
        if (!IsPattern(segment))
        {
            string path = Path.Combine(folder, segment);
            return last ? File.Exists(path) ? [path] : [] : Directory.Exists(path) ? Matches(path, segments, next + 1) : [];
        }
        if (segment == "**")
        {
            if (last)
                return Matches(folder, [.. segments, "*"], next);
            var below = Directory.EnumerateDirectories(here).Select(d => Path.Combine(folder, Path.GetFileName(d)));
            return Matches(folder, segments, next + 1).Concat(below.SelectMany(d => Matches(d, segments, next)));
        }
        var entries = (last ? Directory.EnumerateFiles(here) : Directory.EnumerateDirectories(here)).Select(e => Path.GetFileName(e)!)
            .Where(n => FileSystemName.MatchesSimpleExpression(segment, n, ignoreCase: OperatingSystem.IsWindows()))
            .Select(n => Path.Combine(folder, n));
        return last ? entries : entries.SelectMany(d => Matches(d, segments, next + 1));
    }

    private static bool IsPattern(string text) => text.AsSpan().IndexOfAny('*', '?') >= 0;
}
