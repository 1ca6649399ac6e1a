using System.Text.Json;

namespace FlamingoSharp.Training.DataSets.Sources.Layouts;

/// <summary>The folder of a published data set, as its archives unpack.</summary>
/// <param name="layout">The layout's name, for messages.</param>
/// <param name="root">The folder.</param>
internal sealed class LayoutFolder(string layout, string root)
{
    private readonly List<LeftOut> _leftOut = [];

    /// <summary>What was passed over.</summary>
    public IReadOnlyList<LeftOut> LeftOut => _leftOut;

    /// <summary>Says that something is passed over by a rule of the layout.</summary>
    public void Leave(string what, string reason) => _leftOut.Add(new(what, reason, IsFault: false));

    /// <summary>The first of some files or folders that there is; null where there is none.</summary>
    public string? Find(params IEnumerable<string> names) => names.Select(Absolute).FirstOrDefault(Path.Exists);

    /// <summary>The first of some files or folders that there is.</summary>
    /// <exception cref="FlamingoException">There is none.</exception>
    public string Need(params IReadOnlyList<string> names) => Find(names) ?? throw new FlamingoException(FlamingoErrorKind.Input,
        $"'{root}' does not have the layout {layout}: there is no '{string.Join("' or '", names)}'. Name the folder that holds it.");

    /// <summary>The files of the splits that are there, with the splits' names here.</summary>
    /// <param name="splits">Names of a split's file, several where releases differ, and the split.</param>
    /// <exception cref="FlamingoException">There is none of any split.</exception>
    public IReadOnlyList<(string Path, string Split)> Splits(params (string[] Names, string Split)[] splits)
    {
        List<(string, string)> found = [.. splits.Select(s => (Path: Find(s.Names), s.Split)).Where(s => s.Path is not null).Select(s => (s.Path!, s.Split))];
        if (found.Count == 0)
            Need([.. splits.SelectMany(s => s.Names)]);
        return found;
    }

    /// <summary>A sound: the first of some names that there is, else the first, whose absence is then said.</summary>
    public string Sound(params IReadOnlyList<string> names) => Find(names) ?? Absolute(names[0]);

    /// <summary>Every sound below a folder, in the order of their paths.</summary>
    public IEnumerable<string> Sounds(string folder = "") => SoundNames.Below(Absolute(folder));

    /// <summary>The folders in a folder, in the order of their names.</summary>
    public static IEnumerable<string> FoldersIn(string folder) => Directory.GetDirectories(folder).Order(StringComparer.Ordinal);

    /// <summary>Reads a JSON file.</summary>
    /// <exception cref="FlamingoException">It is no JSON.</exception>
    public static JsonElement Json(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}' is not JSON: {e.Message}", e);
        }
    }

    private string Absolute(string name) => Path.GetFullPath(Path.Combine(root, name));
}
