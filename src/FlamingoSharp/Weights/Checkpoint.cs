namespace FlamingoSharp.Weights;

/// <summary>Opens checkpoints of any known form; the form is found from the content, never from the name.</summary>
public static class Checkpoint
{
    /// <summary>Opens one file or folder, or several parts of one checkpoint.</summary>
    /// <param name="paths">Files or folders; a tensor of a later one replaces one of the same name in an earlier one.</param>
    /// <returns>The checkpoint's tensors by name; the caller disposes it.</returns>
    /// <exception cref="FlamingoException">A path is missing, of no known form, or corrupt; the message names file and byte.</exception>
    public static IWeightSource Open(params IReadOnlyList<string> paths)
    {
        if (paths.Count == 0)
            throw new FlamingoException(FlamingoErrorKind.Usage, "No checkpoint was named.");
        return paths.Count == 1 ? OpenOne(paths[0]) : Merge(string.Join(", ", paths), paths.Select(OpenOne));
    }

    /// <summary>As <see cref="Open"/>, under the canonical names of <see cref="NameMap"/>, without copies and computed buffers.</summary>
    /// <inheritdoc cref="Open"/>
    public static IWeightSource OpenCanonical(params IReadOnlyList<string> paths) => new RenamedSource(Open(paths), NameMap.Canonical);

    private static IWeightSource OpenOne(string path) => Directory.Exists(path) ? CheckpointFolder.Open(path) : OpenFile(path);

    internal static IWeightSource OpenFile(string path)
    {
        bool torch, safeTensors;
        using (var file = new CheckpointFile(path))
            (torch, safeTensors) = (TorchCheckpoint.Recognises(file), SafeTensorsReader.Recognises(file));
        return torch ? new TorchCheckpoint(path)
            : safeTensors ? new SafeTensorsReader(path)
            : throw new FlamingoException(FlamingoErrorKind.Model, $"{path}: byte 0: this is no checkpoint of a known form (safetensors or torch).");
    }

    /// <summary>Opens parts one after another and closes those already open if one fails.</summary>
    internal static IWeightSource Merge(string origin, IEnumerable<IWeightSource> parts)
    {
        var open = new List<IWeightSource>();
        try
        {
            foreach (var part in parts)
                open.Add(part);
        }
        catch
        {
            open.ForEach(p => p.Dispose());
            throw;
        }
        if (open.Count == 0)
            throw new FlamingoException(FlamingoErrorKind.Model, $"{origin}: lists no parts.");
        return open.Count == 1 ? open[0] : new MergedSource(origin, [.. open]);
    }
}
