using System.Text.Encodings.Web;
using System.Text.Json;
using FlamingoSharp.Text;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Training.Data;

/// <summary>An item of an interleaved manifest: which example is asked about, and which are shown before it.</summary>
/// <param name="Asked">Index in the split's own manifest.</param>
/// <param name="Shots">Indices in the train manifest, in the order shown.</param>
internal sealed record InterleavedItem(int Asked, IReadOnlyList<int> Shots);

/// <summary>Writes manifests in the reference's form; the same examples give the same bytes, and a file appears whole or not at all.</summary>
internal static class ManifestWriter
{
    /// <summary>Readable beside other languages and quotes: nothing is escaped that JSON does not demand.</summary>
    public static JsonWriterOptions Format { get; } = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The file of a manifest.</summary>
    /// <param name="folder">Where manifests lie.</param>
    /// <param name="name"><c>Dataset-Task/split</c>.</param>
    public static string PathOf(string folder, string name) => Path.Combine(folder, name + ".json");

    /// <summary>Writes a plain manifest; its recordings are named relative to the folder, or absolutely.</summary>
    /// <param name="folder">Where manifests lie.</param>
    /// <param name="task"><c>Dataset-Task</c>.</param>
    /// <param name="split">train, val, test …</param>
    /// <param name="examples">The examples, which get the keys "0", "1" …</param>
    public static void Write(string folder, string task, string split, IReadOnlyList<Example> examples) =>
        Write(folder, task, split, split, examples.Count, "data", (json, i) => WriteExample(json, examples[i]));

    /// <summary>Writes a few-shot manifest over manifests that are there.</summary>
    /// <param name="folder">Where manifests lie.</param>
    /// <param name="task"><c>Dataset-Task</c>.</param>
    /// <param name="split">train, val, test …</param>
    /// <param name="choice">How the shots were chosen.</param>
    /// <param name="items">The items, which get the keys "0", "1" …</param>
    public static void WriteInterleaved(string folder, string task, string split, ShotChoice choice, IReadOnlyList<InterleavedItem> items) =>
        Write(folder, task, Manifest.InterleavedName(split, choice), split, items.Count, "interleaved_data", (json, i) =>
        {
            json.WriteStartObject();
            json.WriteNumber("generation_index_in_split", items[i].Asked);
            json.WriteStartArray("fewshot_indices_in_train");
            foreach (int shot in items[i].Shots)
                json.WriteNumberValue(shot);
            json.WriteEndArray();
            json.WriteEndObject();
        });

    private static void Write(
        string folder, string task, string name, string split, int count, string list, Action<Utf8JsonWriter, int> writeItem)
    {
        string path = PathOf(folder, $"{task}/{name}");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.Write(path, file =>
        {
            using var json = new Utf8JsonWriter(file, Format);
            json.WriteStartObject();
            json.WriteString("dataset_path", "");
            json.WriteString("split", split);
            json.WriteString("split_path", "");
            json.WriteString("flamingo_task", task);
            json.WriteNumber("total_num", count);
            json.WriteStartObject(list);
            for (int i = 0; i < count; i++)
            {
                json.WritePropertyName($"{i}");
                writeItem(json, i);
            }
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    private static void WriteExample(Utf8JsonWriter json, Example example)
    {
        json.WriteStartObject();
        json.WriteString("name", example.Name);
        if (example.Dialogue.Count > 0)
        {
            json.WriteStartArray("dialogue");
            foreach (var round in example.Dialogue)
            {
                json.WriteStartObject();
                json.WriteString("user", round.User);
                if (round.Assistant is not null)
                    json.WriteString("assistant", round.Assistant);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        else
        {
            json.WriteString("prompt", example.Prompt);
            json.WriteString("output", example.Output);
        }
        if (example.AudioStart != 0)
            json.WriteNumber("audio_start", example.AudioStart);
        if (example.AudioDuration is { } duration)
            json.WriteNumber("audio_duration", duration);
        if (example.Type.Length > 0)
            json.WriteString("type", example.Type);
        WriteList(json, "choices", example.Choices);
        WriteList(json, "references", example.References);
        WriteList(json, "labels", example.Labels);
        json.WriteEndObject();
    }

    private static void WriteList(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        if (texts.Count == 0)
            return;
        json.WriteStartArray(name);
        foreach (string text in texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
