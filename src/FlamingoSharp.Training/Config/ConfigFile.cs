using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace FlamingoSharp.Training.Config;

/// <summary>
/// A configuration in the form of the reference's YAML files, with <c>key=value</c> changes over it. Every key is known; where one is
/// missing its default holds.
/// </summary>
internal sealed class ConfigFile
{
    private readonly string _origin;
    private readonly Dictionary<string, string> _defaults;

    private ConfigFile(string origin, ConfigNode root, IReadOnlyDictionary<string, string>? defaults)
    {
        (_origin, Root) = (origin, root);
        _defaults = ConfigKey.All.Where(k => k.Default.Length > 0).ToDictionary(k => k.Path, k => k.Default, StringComparer.Ordinal);
        foreach (var (path, value) in defaults ?? new Dictionary<string, string>())
            _defaults[path] = value;
    }

    /// <summary>What the file and the changes say, without defaults.</summary>
    public ConfigNode Root { get; }

    /// <summary>Reads a file and applies changes.</summary>
    /// <param name="path">The YAML file; null for changes alone.</param>
    /// <param name="changes"><c>section.key=value</c>, a later one over an earlier.</param>
    /// <param name="defaults">What holds where nothing is said, by path, in place of the keys' own defaults.</param>
    /// <exception cref="FlamingoException">The file is missing or no YAML, a key is unknown or occurs twice, or a value is not of its kind.</exception>
    public static ConfigFile Read(string? path, IEnumerable<string>? changes = null, IReadOnlyDictionary<string, string>? defaults = null)
    {
        string origin = path ?? "the command line";
        var file = new ConfigFile(origin, path is null ? new ConfigNode(0) : Parse(path), defaults);
        foreach (string change in changes ?? [])
            file.Apply(change);
        file.Check(file.Root, []);
        return file;
    }

    /// <summary>True if the file or a change says it.</summary>
    public bool Has(string path) => Find(path) is not null;

    /// <summary>A text; the default where nothing is said, empty where there is none.</summary>
    public string Text(string path) => Find(path)?.Value ?? _defaults.GetValueOrDefault(path, "");

    /// <summary>A number; null where nothing is said and there is no default.</summary>
    public double? Number(string path) => Text(path) is { Length: > 0 } text ? double.Parse(text, CultureInfo.InvariantCulture) : null;

    /// <summary>A whole number; null where nothing is said and there is no default.</summary>
    public int? Whole(string path) => Number(path) is { } number ? (int)number : null;

    /// <summary>true or false; false where nothing is said and there is no default.</summary>
    public bool YesNo(string path) => IsYes(Text(path)) ?? false;

    /// <summary>What stands below a mapping.</summary>
    public IReadOnlyList<KeyValuePair<string, ConfigNode>> Children(string path) => Find(path) is { } node ? [.. node.Children] : [];

    /// <summary>The keys that the file has but that change nothing here, each with the reason.</summary>
    public IReadOnlyList<string> WithoutEffect() =>
    [
        .. ConfigKey.All.Where(k => k.NoEffect is not null && Has(k.Path)).GroupBy(k => k.NoEffect!)
            .Select(g => $"{string.Join(", ", g.Select(k => k.Path))} {(g.Count() == 1 ? "has" : "have")} no effect here: {g.Key}."),
    ];

    /// <summary>An error about a value.</summary>
    public FlamingoException Wrong(string path, string problem) => Wrong(Find(path)?.Line ?? 0, $"{path} {problem}");

    /// <summary>All that holds, defaults included, in the same form.</summary>
    public string ToYaml() => ConfigText.Write(this);

    private static ConfigNode Parse(string path)
    {
        if (!File.Exists(path))
            throw new FlamingoException(FlamingoErrorKind.Input, $"There is no configuration '{path}'; check the path.");
        try
        {
            using var reader = new StreamReader(path);
            var yaml = new YamlStream();
            yaml.Load(reader);
            return yaml.Documents.Count == 0 ? new ConfigNode(0) : Convert(yaml.Documents[0].RootNode, path);
        }
        catch (YamlException e)
        {
            string reason = (e.InnerException ?? e).Message.Trim().TrimEnd('.');
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{path}', line {e.Start.Line}: this is no YAML: {reason}.", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // The parser of YAML says so of some broken files, without a place.
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{path}' is no YAML: a bracket, brace or quote is not closed where it should be.", e);
        }
    }

    private static ConfigNode Convert(YamlNode node, string path)
    {
        int line = (int)node.Start.Line;
        switch (node)
        {
            case YamlScalarNode scalar:
                return new ConfigNode(line) { Value = scalar.Value is null or "~" or "null" ? "" : scalar.Value };
            case YamlSequenceNode list when list.All(i => i is YamlScalarNode):
                return new ConfigNode(line) { Value = string.Join(',', list.Select(i => ((YamlScalarNode)i).Value)) };
            case YamlMappingNode map:
                var result = new ConfigNode(line);
                foreach (var (key, value) in map)
                    result.Children[key is YamlScalarNode { Value: { } name } ? name : throw Unfit(key)] = Convert(value, path) with { Line = (int)key.Start.Line };
                return result;
            default:
                throw Unfit(node);
        }

        FlamingoException Unfit(YamlNode at) => new(FlamingoErrorKind.Usage,
            $"'{path}', line {at.Start.Line}: expected a key with a value, a list of values, or further keys.");
    }

    private void Apply(string change)
    {
        int equals = change.IndexOf('=');
        if (equals <= 0)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{change}' is no change of the configuration; write it as section.key=value, e.g. train_config.num_epochs=3.");
        string[] path = SplitPath(change[..equals].Trim());
        var at = Root;
        foreach (string name in path[..^1])
        {
            if (!at.Children.TryGetValue(name, out var next) || !next.IsMapping)
                at.Children[name] = next = new ConfigNode(0);
            at = next;
        }
        at.Children[path[^1]] = new ConfigNode(0) { Value = change[(equals + 1)..].Trim() };
    }

    // Names of data sets may hold dots: what stands between two known levels is one name.
    private static string[] SplitPath(string path)
    {
        string[] parts = path.Split('.');
        if (parts.Length <= 3 || ConfigKey.Find(parts) is not null)
            return parts;
        foreach (int end in Enumerable.Range(3, parts.Length - 2)) // the shortest name that leaves a key of a value
        {
            string[] joined = [.. parts[..2], string.Join('.', parts[2..end]), .. parts[end..]];
            if (parts[0] == "data_config" && ConfigKey.Find(joined) is { Kind: not ConfigKind.Mapping })
                return joined;
        }
        return parts;
    }

    private void Check(ConfigNode node, string[] path)
    {
        foreach (var (name, child) in node.Children)
        {
            string[] at = [.. path, name];
            var key = ConfigKey.Find(at);
            if (key is null && !(child.IsMapping && ConfigKey.IsSection(at)) && !(at.Length == 1 && child.Value == "" && ConfigKey.IsSection(at)))
                throw Wrong(child.Line, Unknown(at));
            if (child.IsMapping)
            {
                if (key is { Kind: not ConfigKind.Mapping } && !ConfigKey.IsSection(at))
                    throw Wrong(child.Line, $"{string.Join('.', at)} takes {NameOf(key)}, but has further keys below it.");
                Check(child, at);
            }
            else if (key is not null)
            {
                CheckValue(key, string.Join('.', at), child);
            }
        }
    }

    private void CheckValue(ConfigKey key, string path, ConfigNode node)
    {
        string value = node.Value!;
        if (value.Length == 0)
            return;
        bool fits = key.Kind switch
        {
            ConfigKind.Whole => int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
            ConfigKind.Number => double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number),
            ConfigKind.YesNo => IsYes(value) is not null,
            ConfigKind.Mapping => false,
            _ => key.Choices.Count == 0 || key.Choices.Contains(value, StringComparer.Ordinal),
        };
        if (!fits)
            throw Wrong(node.Line, $"{path} is '{value}'; expected {NameOf(key)}.");
        if (key.Kind is ConfigKind.Whole or ConfigKind.Number && double.Parse(value, CultureInfo.InvariantCulture) < key.Least)
            throw Wrong(node.Line, $"{path} is {value}; it must be at least {key.Least.ToString(CultureInfo.InvariantCulture)}.");
    }

    private static string NameOf(ConfigKey key) => key.Kind switch
    {
        ConfigKind.Whole => "a whole number",
        ConfigKind.Number => "a number",
        ConfigKind.YesNo => "true or false",
        ConfigKind.Mapping => "further keys",
        _ => key.Choices.Count == 0 ? "a text" : string.Join(" or ", key.Choices),
    };

    private static string Unknown(string[] path)
    {
        var section = path[..^1];
        var near = Nearest.Of(path[^1], ConfigKey.Below(section));
        // Given without its section, or in another: the same name elsewhere.
        var elsewhere = ConfigKey.All.Select(k => k.Path).FirstOrDefault(k => k.EndsWith("." + path[^1], StringComparison.Ordinal))
            ?? (near is null ? Nearest.Of(string.Join('.', path), [.. ConfigKey.All.Select(k => k.Path).Where(k => !k.Contains('*', StringComparison.Ordinal))]) : null);
        string hint = elsewhere ?? (near is null ? null : string.Join('.', [.. section, near])) ?? ConfigKey.All[0].Path;
        return $"there is no key '{string.Join('.', path)}'; the nearest is '{hint}'.";
    }

    private FlamingoException Wrong(int line, string problem) => new(FlamingoErrorKind.Usage,
        line > 0 ? $"'{_origin}', line {line}: {problem}" : $"The configuration on the command line: {problem}");

    private ConfigNode? Find(string path)
    {
        var node = Root;
        foreach (string name in path.Split('.'))
        {
            if (!node.Children.TryGetValue(name, out var next))
                return null;
            node = next;
        }
        return node;
    }

    private static bool? IsYes(string text) => text.ToLowerInvariant() switch
    {
        "true" or "yes" or "on" => true,
        "false" or "no" or "off" => false,
        _ => null,
    };
}
