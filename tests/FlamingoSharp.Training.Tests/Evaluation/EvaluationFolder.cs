using System.Text.Json.Nodes;
using FlamingoSharp.Training.Evaluation;
using FlamingoSharp.Training.Tests.Sounds;

namespace FlamingoSharp.Training.Tests.Evaluation;

/// <summary>A temporary folder of sounds and manifests of the reference's form.</summary>
internal sealed class EvaluationFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("flamingo-eval-").FullName;

    public string Out => Path.Combine(Root, "out");

    /// <summary>A short tone, as <c>NAME.wav</c>.</summary>
    public EvaluationFolder Tone(string name, double hertz, double seconds = 0.6)
    {
        SoundFolder.WriteTone(Path.Combine(Root, $"{name}.wav"), seconds, hertz);
        return this;
    }

    /// <summary>A manifest; each item is JSON with the sound's name without <c>.wav</c>.</summary>
    public string Manifest(string task, string split, params string[] items)
    {
        var data = new JsonObject();
        for (int i = 0; i < items.Length; i++)
        {
            var item = JsonNode.Parse(items[i])!;
            item["name"] = $"{item["name"]!.GetValue<string>()}.wav";
            data[i.ToString(System.Globalization.CultureInfo.InvariantCulture)] = item;
        }
        var json = new JsonObject
        {
            ["dataset_path"] = Root,
            ["split"] = split,
            ["split_path"] = "",
            ["flamingo_task"] = task,
            ["total_num"] = items.Length,
            ["data"] = data,
        };
        string path = Path.Combine(Root, task, $"{split}.json");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, json.ToJsonString());
        return path;
    }

    /// <summary>The rows of a manifest, or of all of them.</summary>
    public IReadOnlyList<EvaluationRow> Rows(string? data = null, params string[] presets) => EvaluationSet.Open(new()
    {
        Data = data ?? Root,
        ModelFolder = "",
        OutputFolder = Out,
        Presets = presets,
    }).Rows;

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
