using System.Text.Json;
using FlamingoSharp.TestKit;
using FlamingoSharp.Text;

namespace FlamingoSharp.Tests.Text;

/// <summary>
/// Tokenizers with ids that independent implementations gave: flamingo-mini's own (ids from @lenml/tokenizers 3.7.2), and every
/// subfolder of FLAMINGO_TOKENIZERS that holds expected.json, a list of {text, ids}.
/// </summary>
internal static class TokenizerSets
{
    public const string Mini = "flamingo-mini";

    private static readonly string? Named = Environment.GetEnvironmentVariable("FLAMINGO_TOKENIZERS") is { Length: > 0 } folder ? folder : null;

    private static readonly Dictionary<string, Lazy<Tokenizer>> Loaded = Names.ToDictionary(n => n, n => new Lazy<Tokenizer>(() => Tokenizer.Load(Folder(n))));

    public static IEnumerable<string> Names => Named is null ? [Mini] : Found(Named).Prepend(Mini);

    public static Tokenizer Load(string name) => Loaded[name].Value;

    public static string Folder(string name) => name == Mini
        ? Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini")
        : Path.Combine(Named!, name);

    public static List<(string Text, int[] Ids)> Expected(string name)
    {
        string path = name == Mini
            ? Path.Combine(ReferenceSet.RepositoryRoot, "tests", "FlamingoSharp.Tests", "Text", "flamingo-mini.expected.json")
            : Path.Combine(Folder(name), "expected.json");
        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        return [.. json.RootElement.EnumerateArray().Select(e =>
            (e.GetProperty("text").GetString()!, e.GetProperty("ids").EnumerateArray().Select(i => i.GetInt32()).ToArray()))];
    }

    private static string[] Found(string root)
    {
        string[] found = [.. Directory.EnumerateFiles(root, "expected.json", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(root, Path.GetDirectoryName(f)!)).Order(StringComparer.Ordinal)];
        return found.Length > 0 ? found : throw new InvalidOperationException($"FLAMINGO_TOKENIZERS names '{root}', which holds no expected.json.");
    }
}
