using System.Text;

namespace FlamingoSharp.Training.Config;

/// <summary>Spells a configuration out: what was said and every default, in the form of its file.</summary>
internal static class ConfigText
{
    public static string Write(ConfigFile file)
    {
        var text = new StringBuilder();
        foreach (var section in ConfigKey.All.GroupBy(k => k.Path.Split('.')[0]))
        {
            var lines = new StringBuilder();
            foreach (var key in section.Where(k => k.NoEffect is null && !k.Path.Contains('*', StringComparison.Ordinal)))
            {
                string[] path = key.Path.Split('.');
                if (key.Kind == ConfigKind.Mapping)
                    Mapping(lines, path[^1], file.Children(key.Path), path.Length - 1);
                else if (path.Length == 2 && file.Text(key.Path) is { Length: > 0 } value)
                    Line(lines, path.Length - 1, path[^1], value);
            }
            if (lines.Length > 0)
                text.Append(section.Key).Append(":\n").Append(lines);
        }
        return text.ToString();
    }

    private static void Mapping(StringBuilder text, string name, IReadOnlyList<KeyValuePair<string, ConfigNode>> children, int depth)
    {
        if (children.Count == 0)
            return;
        text.Append(' ', 2 * depth).Append(Spell(name)).Append(":\n");
        foreach (var (key, node) in children)
        {
            if (node.IsMapping)
                Mapping(text, key, [.. node.Children], depth + 1);
            else
                Line(text, depth + 1, key, node.Value!);
        }
    }

    private static void Line(StringBuilder text, int depth, string name, string value) =>
        text.Append(' ', 2 * depth).Append(Spell(name)).Append(": ").Append(Spell(value)).Append('\n');

    // Anything that YAML might take for more than a word stands in single quotes.
    private static string Spell(string value) => value.Length > 0 && value.All(c => char.IsLetterOrDigit(c) || c is '_' or '-' or '.' or '/' or '+')
        && value[0] is not '-' ? value : $"'{value.Replace("'", "''", StringComparison.Ordinal)}'";
}
