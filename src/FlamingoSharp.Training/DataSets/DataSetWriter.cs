using System.Text.Json;
using FlamingoSharp.Training.Data;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Training.DataSets;

/// <summary>
/// Writes a data set so that a folder is one only when everything is there: <c>set.json</c> says "not complete" from the first file to the last.
/// </summary>
internal static class DataSetWriter
{
    /// <summary>Takes a folder for a data set: a new or empty one, or one that holds a data set, which is not touched yet.</summary>
    /// <exception cref="FlamingoException">The folder holds something else.</exception>
    public static void Claim(string folder, string name)
    {
        if (File.Exists(folder))
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{folder}' is a file; name a folder for the data set.");
        if (File.Exists(Path.Combine(folder, DataSet.FileName)))
            return;
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"'{folder}' holds other files and no data set; name a new folder, so that nothing of yours is mixed with it.");
        }
        Directory.CreateDirectory(folder);
        WriteSet(folder, name, complete: false, [], []);
    }

    /// <summary>Begins to write into a claimed folder; the manifests of a data set that is there are deleted.</summary>
    public static void Begin(string folder, string name)
    {
        DeleteManifests(folder);
        WriteSet(folder, name, complete: false, [], []);
    }

    /// <summary>Declares the data set complete, or changed.</summary>
    public static void End(string folder, string name, IReadOnlyList<DataSetTask> tasks, IReadOnlyList<DataSetManifest> manifests) =>
        WriteSet(folder, name, complete: true, tasks, manifests);

    private static void WriteSet(
        string folder, string name, bool complete, IReadOnlyList<DataSetTask> tasks, IReadOnlyList<DataSetManifest> manifests) =>
        AtomicFile.Write(Path.Combine(folder, DataSet.FileName), file =>
        {
            using var json = new Utf8JsonWriter(file, ManifestWriter.Format);
            json.WriteStartObject();
            json.WriteString("format", DataSet.Format);
            json.WriteBoolean("complete", complete);
            json.WriteString("name", name);
            WriteList(json, "labels", [.. tasks.SelectMany(t => t.Labels).Distinct(StringComparer.Ordinal)]);
            json.WriteStartObject("tasks");
            foreach (var task in tasks)
            {
                json.WriteStartObject(task.Name);
                json.WriteString("kind", task.Kind.ToString().ToLowerInvariant());
                json.WriteString("question", task.Question);
                WriteList(json, "labels", task.Labels);
                json.WriteEndObject();
            }
            json.WriteEndObject();
            json.WriteStartObject("manifests");
            foreach (var manifest in manifests)
                WriteManifest(json, manifest);
            json.WriteEndObject();
            json.WriteEndObject();
        });

    private static void WriteManifest(Utf8JsonWriter json, DataSetManifest manifest)
    {
        json.WriteStartObject(manifest.Name);
        json.WriteString("split", manifest.Split);
        json.WriteNumber("count", manifest.Count);
        json.WriteNumber("shots", manifest.Shots);
        json.WriteNumber("weight", manifest.Weight);
        json.WriteStartObject("augmentations");
        foreach (var (wording, probability) in manifest.Augmentation.Wordings)
            json.WriteNumber(wording, probability);
        json.WriteEndObject();
        json.WriteNumber("prefix_prob", manifest.Augmentation.PrefixProbability);
        json.WriteEndObject();
    }

    private static void WriteList(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
    }

    // Only what the data set itself names. Rendered sounds stay: they are made again only where they are missing.
    private static void DeleteManifests(string folder)
    {
        DataSet old;
        try
        {
            old = DataSet.Open(folder);
        }
        catch (FlamingoException)
        {
            return; // an unfinished one names none; what it left is overwritten, or never read
        }
        foreach (var manifest in old.Manifests)
        {
            string path = ManifestWriter.PathOf(folder, manifest.Name);
            File.Delete(path);
            string below = Path.GetDirectoryName(path)!;
            if (Directory.Exists(below) && !Directory.EnumerateFileSystemEntries(below).Any())
                Directory.Delete(below);
        }
    }
}
