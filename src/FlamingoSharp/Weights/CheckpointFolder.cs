using System.Text.Json;

namespace FlamingoSharp.Weights;

/// <summary>The forms in which a folder holds one checkpoint in several files.</summary>
internal static class CheckpointFolder
{
    private static readonly string[] Indices = ["model.safetensors.index.json", "pytorch_model.bin.index.json"];
    private static readonly string[] Whole = ["model.safetensors", "pytorch_model.bin"];

    /// <summary>Opens a sharded or whole safetensors or Hugging Face folder, or one with Audio Flamingo 2's metadata.json.</summary>
    public static IWeightSource Open(string folder)
    {
        foreach (string index in Indices.Select(i => Path.Combine(folder, i)).Where(File.Exists))
            return OpenIndex(folder, index);
        foreach (string file in Whole.Select(w => Path.Combine(folder, w)).Where(File.Exists))
            return Checkpoint.OpenFile(file);
        string metadata = Path.Combine(folder, "metadata.json");
        if (File.Exists(metadata))
            return OpenMetadata(folder, metadata);
        string[] lone = [.. Directory.EnumerateFiles(folder, "*.safetensors")];
        return lone.Length == 1 ? Checkpoint.OpenFile(lone[0]) : throw new FlamingoException(FlamingoErrorKind.Model,
            $"{folder}: no checkpoint in this folder; expected one of {string.Join(", ", Indices.Concat(Whole))} or metadata.json.");
    }

    private static IWeightSource OpenIndex(string folder, string index)
    {
        var map = Json(index, root => root.GetProperty("weight_map").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString() ?? ""));
        var source = Checkpoint.Merge(folder, map.Values.Distinct().Select(s => Checkpoint.OpenFile(Part(folder, index, s))));
        if (map.Keys.FirstOrDefault(name => !source.Weights.ContainsKey(name)) is { } absent)
        {
            source.Dispose();
            throw new FlamingoException(FlamingoErrorKind.Model, $"{index}: says that '{absent}' is in {map[absent]}, but no part holds it; download the folder again.");
        }
        return source;
    }

    /// <summary>Audio Flamingo 2's safe_ckpt: metadata.json is an object whose keys, or a list whose members, name the chunks in order.</summary>
    private static IWeightSource OpenMetadata(string folder, string metadata)
    {
        var chunks = Json(metadata, root => root.ValueKind == JsonValueKind.Array
            ? root.EnumerateArray().Select(c => c.GetString() ?? "").ToList()
            : root.EnumerateObject().Select(c => c.Name).ToList());
        if (chunks.Count == 0)
            throw new FlamingoException(FlamingoErrorKind.Model, $"{metadata}: names no chunks.");
        return Checkpoint.Merge(folder, chunks.Select(c => Checkpoint.OpenFile(Part(folder, metadata, c + ".safetensors"))));
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

    /// <summary>A part must be a plain file name: an index may not point outside its folder.</summary>
    private static string Part(string folder, string index, string name) =>
        name.Length > 0 && name == Path.GetFileName(name) && name is not ("." or "..") && !name.Contains('\\', StringComparison.Ordinal)
            ? Path.Combine(folder, name)
            : throw new FlamingoException(FlamingoErrorKind.Model, $"{index}: '{name}' is no plain file name.");
}
