using System.Text.Json;
using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.DataSets;

/// <summary>What kind of answer a task wants.</summary>
public enum TaskKind
{
    /// <summary>One label of a list.</summary>
    Classification,

    /// <summary>Any number of labels.</summary>
    Tagging,

    /// <summary>A sentence.</summary>
    Captioning,

    /// <summary>The answer to a question of the example's own.</summary>
    Questions,

    /// <summary>The next turn of a conversation.</summary>
    Dialogue,
}

/// <summary>A task of a data set.</summary>
/// <param name="Name">As manifests name it: <c>Dataset-Task</c>.</param>
/// <param name="Kind">What kind of answer it wants.</param>
public sealed record DataSetTask(string Name, TaskKind Kind)
{
    /// <summary>What is asked, without the options; empty where each example has a question of its own.</summary>
    public string Question { get; init; } = "";

    /// <summary>Every possible label, in the order in which options are listed; empty where there is no fixed list.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];
}

/// <summary>A manifest of a data set.</summary>
/// <param name="Task"><c>Dataset-Task</c>.</param>
/// <param name="Split">train, val, test …</param>
/// <param name="Count">Items in it.</param>
public sealed record DataSetManifest(string Task, string Split, int Count)
{
    /// <summary>Its name in a configuration: <c>Dataset-Task/split</c>, or <c>Dataset-Task/interleaved_random-split</c>.</summary>
    public string Name { get; init; } = $"{Task}/{Split}";

    /// <summary>Examples shown before each question; 0 in a plain manifest.</summary>
    public int Shots { get; init; }

    /// <summary>Passes over it in the whole training, relative to the others of the data set.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>How its texts are worded. The texts of a built data set are whole, so by default nothing is done but naming the task.</summary>
    public AugmentationOptions Augmentation { get; init; } = new() { PrefixProbability = 1 };

    /// <summary>The manifest as a mixture takes it.</summary>
    internal BlendEntry Entry => new() { Name = Name, Weight = Weight, Augmentation = Augmentation };
}

/// <summary>
/// A folder that <c>flamingo data build</c> made: <c>set.json</c>, and manifests of the reference's form in
/// <c>Dataset-Task/split.json</c>. What training, evaluation and few-shot prompts read.
/// </summary>
/// <remarks>
/// <c>set.json</c>: <c>{format, complete, name, labels, tasks: {name: {kind, question, labels}}, manifests: {name: {split, count, shots, weight,
/// augmentations, prefix_prob}}}</c>; <c>manifests</c> is a mixture as configuration files write it.
/// Recordings are named relative to the folder, or absolutely.
/// </remarks>
public sealed class DataSet
{
    /// <summary>The file that makes a folder a data set.</summary>
    public const string FileName = "set.json";

    internal const string Format = "flamingo-set/1";

    private DataSet(string folder, string name, IReadOnlyList<DataSetTask> tasks, IReadOnlyList<DataSetManifest> manifests) =>
        (Folder, Name, Tasks, Manifests) = (folder, name, tasks, manifests);

    /// <summary>The folder, absolute.</summary>
    public string Folder { get; }

    /// <summary>What the data set is called.</summary>
    public string Name { get; }

    /// <summary>Its tasks.</summary>
    public IReadOnlyList<DataSetTask> Tasks { get; }

    /// <summary>Its manifests, those with shots among them.</summary>
    public IReadOnlyList<DataSetManifest> Manifests { get; }

    /// <summary>Every label of every task, once each.</summary>
    public IReadOnlyList<string> Labels => [.. Tasks.SelectMany(t => t.Labels).Distinct(StringComparer.Ordinal)];

    /// <summary>The splits that it has manifests for.</summary>
    public IReadOnlyList<string> Splits => [.. Manifests.Select(m => m.Split).Distinct(StringComparer.Ordinal)];

    /// <summary>Opens a data set.</summary>
    /// <param name="folder">Where <c>flamingo data build</c> wrote it.</param>
    /// <exception cref="FlamingoException">There is none, it is of another format, or its making was stopped.</exception>
    public static DataSet Open(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw Unusable(Directory.Exists(folder)
                ? $"'{folder}' is no data set: it has no {FileName}; make one with 'flamingo data build'."
                : $"There is no data set '{folder}'; check the path, or make it with 'flamingo data build'.");
        }
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            var root = json.RootElement;
            string format = root.GetProperty("format").GetString() ?? "";
            if (format != Format)
                throw Unusable($"'{path}' has the format '{format}', but '{Format}' is expected; build the data set again.");
            if (!root.GetProperty("complete").GetBoolean())
                throw Unusable($"The data set '{folder}' was not finished; run 'flamingo data build' again.");
            return new DataSet(Path.GetFullPath(folder), root.GetProperty("name").GetString()!, ReadTasks(root), ReadManifests(root));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}' is not of the expected form: {e.Message}", e);
        }
    }

    /// <summary>The task of a name.</summary>
    /// <exception cref="FlamingoException">There is none.</exception>
    public DataSetTask Task(string name) => Tasks.FirstOrDefault(t => t.Name == name) ?? throw new FlamingoException(FlamingoErrorKind.Usage,
        $"The data set '{Name}' has no task '{name}'; it has {string.Join(", ", Tasks.Select(t => t.Name))}.");

    /// <summary>The manifests of a split.</summary>
    /// <param name="split">train, val, test …</param>
    /// <param name="withShots">True for the few-shot manifests, false for the plain ones, null for both.</param>
    /// <exception cref="FlamingoException">The split is unknown.</exception>
    public IReadOnlyList<DataSetManifest> Of(string split, bool? withShots = false)
    {
        if (!Splits.Contains(split, StringComparer.Ordinal))
            throw new FlamingoException(FlamingoErrorKind.Usage, $"The data set '{Name}' has no split '{split}'; it has {string.Join(", ", Splits)}.");
        return [.. Manifests.Where(m => m.Split == split && (withShots is null || withShots == m.Shots > 0))];
    }

    /// <summary>The manifests of a split as a mixture takes them.</summary>
    /// <inheritdoc cref="Of"/>
    public IReadOnlyList<BlendEntry> Entries(string split, bool? withShots = false) => [.. Of(split, withShots).Select(m => m.Entry)];

    /// <summary>Reads a manifest.</summary>
    /// <exception cref="FlamingoException">It is missing or corrupt.</exception>
    public Manifest Read(DataSetManifest manifest) => Manifest.Read(manifest.Name, Folder, Source);

    /// <summary>Gives the JSON of the manifest with a name, as mixtures ask for it; the data root is <see cref="Folder"/>.</summary>
    public JsonElement Source(string name) => Manifest.InFolder(Folder)(name);

    /// <summary>The file of a recording.</summary>
    /// <param name="name">As manifests name it, <see cref="Example.Name"/>.</param>
    public string SoundPath(string name) => Path.GetFullPath(Path.Combine(Folder, name));

    private static List<DataSetTask> ReadTasks(JsonElement root) => [.. root.GetProperty("tasks").EnumerateObject().Select(t => new DataSetTask(
        t.Name, Enum.Parse<TaskKind>(t.Value.GetProperty("kind").GetString()!, ignoreCase: true))
    {
        Question = t.Value.GetProperty("question").GetString()!,
        Labels = [.. t.Value.GetProperty("labels").EnumerateArray().Select(l => l.GetString()!)],
    })];

    private static List<DataSetManifest> ReadManifests(JsonElement root)
    {
        var json = root.GetProperty("manifests");
        var entries = Blend.ReadEntries(json).ToDictionary(e => e.Name, StringComparer.Ordinal);
        return [.. json.EnumerateObject().Select(m => new DataSetManifest(
            m.Name[..m.Name.IndexOf('/')], m.Value.GetProperty("split").GetString()!, m.Value.GetProperty("count").GetInt32())
        {
            Name = m.Name,
            Shots = m.Value.GetProperty("shots").GetInt32(),
            Weight = entries[m.Name].Weight,
            Augmentation = entries[m.Name].Augmentation,
        })];
    }

    private static FlamingoException Unusable(string message) => new(FlamingoErrorKind.Input, message);
}
