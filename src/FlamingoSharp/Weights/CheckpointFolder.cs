using System.Text.Json;

namespace FlamingoSharp.Weights;

/// <summary>The forms in which a folder holds one checkpoint in several files.</summary>
internal static class CheckpointFolder
{
    private static readonly string[] s_indices = ["model.safetensors.index.json", "pytorch_model.bin.index.json"];
    private static readonly string[] s_whole = ["model.safetensors", "pytorch_model.bin"];

    /// <summary>Opens a sharded or whole safetensors or Hugging Face folder, or one with Audio Flamingo 2's metadata.json.</summary>
    public static IWeightSource Open(string folder)
    {
        var (index, files, map) = List(folder);
        var source = Checkpoint.Merge(folder, files.Select(Checkpoint.OpenFile));
        if (map.Keys.FirstOrDefault(name => !source.Weights.ContainsKey(name)) is { } absent)
        {
            source.Dispose();
            throw new FlamingoException(FlamingoErrorKind.Model, $"{index}: byte 0: says that '{absent}' is in {map[absent]}, but no part holds it; download the folder again.");
        }
        return source;
    }

    /// <summary>The files that hold the folder's tensors, in order; each exists.</summary>
    public static IReadOnlyList<string> Files(string folder) => List(folder).Files;

    private static (string Index, IReadOnlyList<string> Files, Dictionary<string, string> Map) List(string folder)
    {
        foreach (string index in s_indices.Select(i => Path.Combine(folder, i)).Where(File.Exists))
        {
            var map = Json(index, root => root.GetProperty("weight_map").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString() ?? ""));
            return (index, [.. map.Values.Distinct().Select(s => Part(folder, index, s))], map);
        }
        foreach (string file in s_whole.Select(w => Path.Combine(folder, w)).Where(File.Exists))
            return ("", [file], []);
        string metadata = Path.Combine(folder, "metadata.json");
        if (File.Exists(metadata))
        {
            // Audio Flamingo 2's safe_ckpt: an object whose keys, or a list whose members, name the chunks in order.
            var chunks = Json(metadata, root => root.ValueKind == JsonValueKind.Array
                ? root.EnumerateArray().Select(c => c.GetString() ?? "").ToList()
                : root.EnumerateObject().Select(c => c.Name).ToList());
            return (metadata, [.. chunks.Select(c => Part(folder, metadata, c + ".safetensors"))], []);
        }
        string[] lone = [.. Directory.EnumerateFiles(folder, "*.safetensors")];
        return lone.Length == 1 ? ("", lone, []) : throw new FlamingoException(FlamingoErrorKind.Model,
            $"{folder}: no checkpoint in this folder; expected one of {string.Join(", ", s_indices.Concat(s_whole))} or metadata.json.");
    }

    private static T Json<T>(string path, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or IOException or ArgumentException)
        {
            throw new FlamingoException(FlamingoErrorKind.Model, $"{path}: does not list the parts of a checkpoint: {e.Message}", e);
        }
    }

    /// <summary>A part must be a plain file name, as an index may not point outside its folder, and be there.</summary>
    private static string Part(string folder, string index, string name)
    {
        if (name.Length == 0 || name != Path.GetFileName(name) || name is "." or ".." || name.Contains('\\', StringComparison.Ordinal))
            throw new FlamingoException(FlamingoErrorKind.Model, $"{index}: byte 0: '{name}' is no plain file name.");
        string path = Path.Combine(folder, name);
        return File.Exists(path) ? path : throw new FlamingoException(FlamingoErrorKind.Model, $"{folder}: {name} is missing, which {Path.GetFileName(index)} lists; download it too.");
    }
}
