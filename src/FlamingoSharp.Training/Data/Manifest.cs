using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Text;

namespace FlamingoSharp.Training.Data;

/// <summary>One recording with what is asked about it and the right answer, or with a dialogue.</summary>
public sealed record Example
{
    /// <summary>Path of the recording below the data root.</summary>
    public required string Name { get; init; }

    /// <summary>The question, as the data set words it.</summary>
    public string Prompt { get; init; } = "";

    /// <summary>The right answer.</summary>
    public string Output { get; init; } = "";

    /// <summary>Where in the recording to begin, in seconds.</summary>
    public double AudioStart { get; init; }

    /// <summary>How much of the recording is meant, in seconds; null for all that the model hears.</summary>
    public double? AudioDuration { get; init; }

    /// <summary>The kind of question, where a data set holds several (<c>presence</c>, <c>count</c>, …); else empty.</summary>
    public string Type { get; init; } = "";

    /// <summary>The answers to choose from, where the question is a choice.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Every right wording, where there are several (captions); else <see cref="Output"/> alone counts.</summary>
    public IReadOnlyList<string> References { get; init; } = [];

    /// <summary>What is heard, where the data set says so.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>The turns, where the manifest holds dialogues; else none.</summary>
    public IReadOnlyList<DialogueRound> Dialogue { get; init; } = [];
}

/// <summary>What one training text is made of: one example, or several of which the last is asked about.</summary>
/// <param name="Task">The data set and its task, e.g. <c>Clotho-AQA-AQA</c>.</param>
/// <param name="Examples">The shots in order, then the example in question.</param>
/// <param name="Choice">How the shots were chosen; null where there is one example alone.</param>
public sealed record DatasetItem(string Task, IReadOnlyList<Example> Examples, ShotChoice? Choice = null);

/// <summary>A manifest as it stands in its file: a header, and examples (or lists of shots) by key.</summary>
/// <remarks>Source: Audio Flamingo's data files; <c>{dataset_path, split, split_path, flamingo_task, total_num, data | interleaved_data}</c>.
/// Beyond the reference's keys, which hold <c>{name, prompt, output, [audio_start], [audio_duration]}</c> or <c>{name, dialogue}</c>, an example may
/// have <c>type</c>, <c>choices</c>, <c>references</c> and <c>labels</c>, which evaluation uses; the reference's own code ignores them.
/// A <c>dataset_path</c> that is empty or relative lies below the data root, so that a folder with its manifests can be moved.
/// </remarks>
public sealed class Manifest
{
    private const string Knn = "interleaved_knn-", Random = "interleaved_random-";

    private readonly string _name;
    private readonly string _folder;
    private readonly Dictionary<string, Example> _examples = [];

    private Manifest(string name, string folder, string task, int total) => (_name, _folder, Task, Total) = (name, folder, task, total);

    /// <summary>The data set and its task.</summary>
    public string Task { get; }

    /// <summary>The number of items.</summary>
    public int Total { get; }

    /// <summary>The items by key, in the order of the file.</summary>
    public IReadOnlyList<KeyValuePair<string, DatasetItem>> Items { get; private set; } = [];

    /// <summary>Reads a manifest, and those it refers to.</summary>
    /// <param name="name">Its name in the configuration: <c>Dataset-Task/split</c>.</param>
    /// <param name="dataRoot">The folder that the names of recordings are to be relative to; an absolute <c>name</c> in the manifest stays as it is.</param>
    /// <param name="open">Gives the JSON of the manifest with a name.</param>
    /// <exception cref="FlamingoException">A manifest is corrupt, lies outside the data root, or refers to an example that is not there.</exception>
    public static Manifest Read(string name, string dataRoot, Func<string, JsonElement> open)
    {
        var root = open(name);
        try
        {
            var manifest = ReadHeader(name, dataRoot, root);
            if (name.Contains("interleaved", StringComparison.Ordinal))
                manifest.ReadInterleaved(root, dataRoot, open);
            else
                manifest.ReadExamples(root);
            return manifest;
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new FlamingoException(FlamingoErrorKind.Input, $"The manifest '{name}' is not of the expected form: {e.Message}", e);
        }
    }

    /// <summary>What a few-shot manifest of a split is called: <c>interleaved_random-train</c>.</summary>
    internal static string InterleavedName(string split, ShotChoice choice) => (choice == ShotChoice.Similar ? Knn : Random) + split;

    /// <summary>Reads manifests from files <c>name.json</c> below a folder.</summary>
    public static Func<string, JsonElement> InFolder(string folder) => name =>
    {
        string path = Path.Combine(folder, name + ".json");
        if (!File.Exists(path))
            throw new FlamingoException(FlamingoErrorKind.Input, $"There is no manifest '{path}'.");
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new FlamingoException(FlamingoErrorKind.Input, $"The manifest '{path}' is not JSON: {e.Message}", e);
        }
    };

    private static Manifest ReadHeader(string name, string dataRoot, JsonElement root)
    {
        string path = root.GetProperty("dataset_path").GetString()!;
        bool below = path.StartsWith(dataRoot, StringComparison.Ordinal);
        if (!below && Path.IsPathRooted(path))
        {
            throw new FlamingoException(FlamingoErrorKind.Input,
                $"The manifest '{name}' lies in '{path}', which is not below the data root '{dataRoot}'.");
        }
        return new Manifest(name,
            Join(below ? path[dataRoot.Length..].TrimStart('/') : path, root.GetProperty("split_path").GetString()),
            root.GetProperty("flamingo_task").GetString()!,
            root.GetProperty("total_num").GetInt32());
    }

    private void ReadExamples(JsonElement root)
    {
        foreach (var entry in root.GetProperty("data").EnumerateObject())
        {
            IReadOnlyList<string> List(string name) => entry.Value.TryGetProperty(name, out var list) ? [.. list.EnumerateArray().Select(t => t.GetString()!)] : [];
            string Text(string name) => entry.Value.TryGetProperty(name, out var text) ? text.GetString()! : "";
            _examples[entry.Name] = new Example
            {
                Name = Join(_folder, entry.Value.GetProperty("name").GetString()),
                Prompt = Text("prompt"),
                Output = Text("output"),
                AudioStart = entry.Value.TryGetProperty("audio_start", out var start) ? Seconds(start) : 0,
                AudioDuration = entry.Value.TryGetProperty("audio_duration", out var duration) ? Seconds(duration) : null,
                Type = Text("type"),
                Choices = List("choices"),
                References = List("references"),
                Labels = List("labels"),
                Dialogue = entry.Value.TryGetProperty("dialogue", out var dialogue)
                    ? [.. dialogue.EnumerateArray().Select(r => new DialogueRound(
                        r.GetProperty("user").GetString()!, r.TryGetProperty("assistant", out var a) ? a.GetString() : null))]
                    : [],
            };
        }
        Items = [.. _examples.Select(e => KeyValuePair.Create(e.Key, new DatasetItem(Task, [e.Value])))];
    }

    private void ReadInterleaved(JsonElement root, string dataRoot, Func<string, JsonElement> open)
    {
        var choice = _name.Contains(Knn, StringComparison.Ordinal) ? ShotChoice.Similar : ShotChoice.Random;
        string own = _name.Replace(Random, "", StringComparison.Ordinal).Replace(Knn, "", StringComparison.Ordinal);
        var asked = Read(own, dataRoot, open);
        string train = own[..(own.LastIndexOf('/') + 1)] + "train";
        var shown = train == own ? asked : Read(train, dataRoot, open);
        Items = [.. root.GetProperty("interleaved_data").EnumerateObject().Select(entry => KeyValuePair.Create(entry.Name, new DatasetItem(
            Task,
            [.. entry.Value.GetProperty("fewshot_indices_in_train").EnumerateArray().Select(shot => shown.At(shot.GetInt32())),
             asked.At(entry.Value.GetProperty("generation_index_in_split").GetInt32())],
            choice)))];
    }

    private Example At(int index) => _examples.TryGetValue(index.ToString(CultureInfo.InvariantCulture), out var example)
        ? example
        : throw new FlamingoException(FlamingoErrorKind.Input, $"The manifest '{_name}' has no example {index}, which another refers to.");

    // A path that begins anew replaces what stands before it, as Python's os.path.join has it.
    private static string Join(string folder, string? name) =>
        string.IsNullOrEmpty(name) ? folder : name[0] == '/' || folder.Length == 0 ? name : $"{folder.TrimEnd('/')}/{name}";

    private static double Seconds(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? double.Parse(value.GetString()!, CultureInfo.InvariantCulture) : value.GetDouble();
}
