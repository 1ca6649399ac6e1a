using System.Text.Json;

namespace FlamingoSharp.Weights;

/// <summary>The forms in which a folder holds one checkpoint in several files.</summary>
internal static class CheckpointFolder
{
    private const long LargestIndex = 64L << 20;
    private const string Metadata = "metadata.json", ReleasedWeights = "safe_ckpt", ReleasedEncoder = "clap_ckpt";
    private static readonly string[] s_indices = ["model.safetensors.index.json", "pytorch_model.bin.index.json"];
    private static readonly string[] s_whole = ["model.safetensors", "pytorch_model.bin"];

    /// <summary>
    /// Opens a sharded or whole safetensors or Hugging Face folder, the chunks of Audio Flamingo 2's metadata.json, or its whole release: the
    /// encoder of <c>clap_ckpt</c> and, in its place where it was trained on, the weights of <c>safe_ckpt</c>.
    /// </summary>
    public static IWeightSource Open(string folder)
    {
        if (!IsRelease(folder))
            return OpenParts(folder);
        return Checkpoint.Merge(folder, Sources());

        IEnumerable<IWeightSource> Sources()
        {
            if (EncoderOf(folder) is { } encoder)
                yield return new RenamedSource(Checkpoint.OpenFile(encoder), n => NameMap.Canonical(n) is { } c && ModelParts.Of(c) == ModelPart.Encoder ? c : null);
            yield return OpenParts(Path.Combine(folder, ReleasedWeights));
        }
    }

    /// <summary>The encoder's file in the folder of a release; null if there is none.</summary>
    /// <exception cref="FlamingoException">There are several.</exception>
    public static string? EncoderOf(string folder)
    {
        string encoders = Path.Combine(folder, ReleasedEncoder);
        string[] files = IsRelease(folder) && Directory.Exists(encoders) ? Directory.GetFiles(encoders, "epoch_*.pt") : [];
        return files.Length <= 1 ? files.SingleOrDefault() : throw new FlamingoException(FlamingoErrorKind.Model,
            $"{encoders}: holds {files.Length} encoders ({string.Join(", ", files.Select(Path.GetFileName).Order(StringComparer.Ordinal))}); keep the one that belongs to the checkpoint.");
    }

    /// <summary>The files that hold the folder's tensors, in order; each exists.</summary>
    public static IReadOnlyList<string> Files(string folder) => [.. List(folder).Files.Select(f => f.Path)];

    private static bool IsRelease(string folder) => File.Exists(Path.Combine(folder, ReleasedWeights, Metadata));

    private static IWeightSource OpenParts(string folder)
    {
        var listing = List(folder);
        var owners = new Dictionary<string, string>();
        return Checkpoint.Merge(folder, listing.Files.Select(OpenPart));

        IWeightSource OpenPart(Part part)
        {
            var source = Checkpoint.OpenFile(part.Path);
            string? defect = part.Tensors.FirstOrDefault(name => !source.Weights.ContainsKey(name)) is { } absent
                ? $"says that '{absent}' is in {part.Name}, but it is not; download the folder again"
                : listing.Disjoint && source.Weights.Keys.FirstOrDefault(name => !owners.TryAdd(name, part.Name)) is { } twice
                ? $"lists two files that hold '{twice}', {owners[twice]} and {part.Name}; they are not of one checkpoint"
                : null;
            if (defect is null)
                return source;
            source.Dispose();
            throw new FlamingoException(FlamingoErrorKind.Model, $"{listing.Index}: byte 0: {defect}.");
        }
    }

    private static Listing List(string folder)
    {
        foreach (string index in s_indices.Select(i => Path.Combine(folder, i)).Where(File.Exists))
        {
            var map = Json(index, root => root.GetProperty("weight_map").EnumerateObject().Select(p => (p.Name, File: p.Value.GetString() ?? "")).ToList());
            return new Listing(index, [.. map.GroupBy(m => m.File).Select(g => PartOf(folder, index, g.Key, [.. g.Select(m => m.Name)]))]);
        }
        foreach (string file in s_whole.Select(w => Path.Combine(folder, w)).Where(File.Exists))
            return new Listing("", [new Part(file, [])]);
        string metadata = Path.Combine(folder, Metadata);
        if (File.Exists(metadata))
            return Chunks(folder, metadata);
        string[] lone = [.. Directory.EnumerateFiles(folder, "*.safetensors")];
        return lone.Length == 1 ? new Listing("", [new Part(lone[0], [])]) : throw new FlamingoException(FlamingoErrorKind.Model,
            $"{folder}: no checkpoint in this folder; expected one of {string.Join(", ", s_indices.Concat(s_whole))}, {Metadata} or {ReleasedWeights}/{Metadata}.");
    }

    // Audio Flamingo 2's safe_ckpt: an object whose keys, or a list whose members, name the chunks in order. The object's values list the tensors.
    private static Listing Chunks(string folder, string metadata)
    {
        var chunks = Json(metadata, root => root.ValueKind == JsonValueKind.Array
            ? root.EnumerateArray().Select(c => (Name: c.GetString() ?? "", Tensors: new List<string>())).ToList()
            : root.EnumerateObject().Select(c => (c.Name, Tensors: c.Value.ValueKind == JsonValueKind.Array
                ? c.Value.EnumerateArray().Select(t => t.GetString() ?? "").ToList() : [])).ToList());
        if (chunks.GroupBy(c => c.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new FlamingoException(FlamingoErrorKind.Model, $"{metadata}: byte 0: lists the chunk '{twice.Key}' twice; download the folder again.");
        return new Listing(metadata, [.. chunks.Select(c => PartOf(folder, metadata, c.Name + ".safetensors", c.Tensors))], Disjoint: true);
    }

    private static T Json<T>(string path, Func<JsonElement, T> read)
    {
        try
        {
            long bytes = new FileInfo(path).Length;
            if (bytes > LargestIndex)
                throw new FlamingoException(FlamingoErrorKind.Model, $"{path}: has {bytes} bytes, but a list of parts has at most {LargestIndex}.");
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or IOException or ArgumentException)
        {
            throw new FlamingoException(FlamingoErrorKind.Model, $"{path}: does not list the parts of a checkpoint: {e.Message}", e);
        }
    }

    /// <summary>A part must be a plain file name, as an index may not point outside its folder, and be there.</summary>
    private static Part PartOf(string folder, string index, string name, IReadOnlyList<string> tensors)
    {
        if (name.Length == 0 || name != Path.GetFileName(name) || name is "." or ".." || name.Contains('\\', StringComparison.Ordinal))
            throw new FlamingoException(FlamingoErrorKind.Model, $"{index}: byte 0: '{name}' is no plain file name.");
        string path = Path.Combine(folder, name);
        return File.Exists(path) ? new Part(path, tensors)
            : throw new FlamingoException(FlamingoErrorKind.Model, $"{folder}: {name} is missing, which {Path.GetFileName(index)} lists; download it too.");
    }

    /// <summary>The files of a folder.</summary>
    /// <param name="Index">What lists them; empty if nothing does.</param> <param name="Files">In order.</param>
    /// <param name="Disjoint">True where no two of them may hold the same tensor.</param>
    private sealed record Listing(string Index, IReadOnlyList<Part> Files, bool Disjoint = false);

    /// <summary>One file, and the tensors that the list promises in it.</summary>
    private sealed record Part(string Path, IReadOnlyList<string> Tensors)
    {
        public string Name => System.IO.Path.GetFileName(Path);
    }
}
