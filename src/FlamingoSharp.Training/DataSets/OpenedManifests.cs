using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.DataSets;

/// <summary>A manifest with what is known about it.</summary>
/// <param name="Name"><c>Dataset-Task/split</c>.</param>
/// <param name="Split">train, val, test …</param>
/// <param name="Task">The task; null for a manifest that belongs to no data set.</param>
/// <param name="Manifest">Its items.</param>
internal sealed record OpenedManifest(string Name, string Split, DataSetTask? Task, Manifest Manifest)
{
    /// <summary>True for one with shots: its examples are those of plain manifests.</summary>
    public bool HasShots => Manifest.Items.Count > 0 && Manifest.Items[0].Value.Choice is not null;
}

/// <summary>The manifests of a data set, or a manifest alone; what cannot be read is a fault and not the end.</summary>
internal sealed record OpenedManifests(string SoundFolder, IReadOnlyList<OpenedManifest> Manifests, IReadOnlyList<DataFault> Faults)
{
    /// <summary>Opens a data set's folder, or a manifest's file.</summary>
    /// <param name="path">Which.</param>
    /// <param name="dataRoot">For a manifest that belongs to no data set: below which folder its recordings lie; null is the root.</param>
    /// <exception cref="FlamingoException">There is neither.</exception>
    public static OpenedManifests Open(string path, string? dataRoot)
    {
        if (!File.Exists(path) || Path.GetFileName(path) == DataSet.FileName)
            return OfSet(DataSet.Open(File.Exists(path) ? Path.GetDirectoryName(Path.GetFullPath(path))! : path), _ => true);

        string full = Path.GetFullPath(path), below = Path.GetDirectoryName(full)!, folder = Path.GetDirectoryName(below) ?? below;
        string name = $"{Path.GetFileName(below)}/{Path.GetFileNameWithoutExtension(full)}";
        if (File.Exists(Path.Combine(folder, DataSet.FileName)))
        {
            var found = OfSet(DataSet.Open(folder), n => n == name);
            if (found.Manifests.Count + found.Faults.Count > 0)
                return found;
        }
        string root = dataRoot is null ? Path.GetPathRoot(full)! : Path.GetFullPath(dataRoot);
        string split = name[(name.IndexOf('/') + 1)..];
        return Read(root, [(name, split[(split.LastIndexOf('-') + 1)..], null)], n => Manifest.Read(n, dataRoot ?? root, Manifest.InFolder(folder)));
    }

    private static OpenedManifests OfSet(DataSet set, Predicate<string> isWanted) => Read(
        set.Folder, set.Manifests.Where(m => isWanted(m.Name)).Select(m => (m.Name, m.Split, set.Tasks.FirstOrDefault(t => t.Name == m.Task))),
        name => Manifest.Read(name, set.Folder, set.Source));

    private static OpenedManifests Read(string root, IEnumerable<(string Name, string Split, DataSetTask? Task)> manifests, Func<string, Manifest> read)
    {
        List<OpenedManifest> opened = [];
        List<DataFault> faults = [];
        foreach (var (name, split, task) in manifests)
        {
            try
            {
                opened.Add(new(name, split, task, read(name)));
            }
            catch (FlamingoException e)
            {
                faults.Add(new(DataFaultKind.Manifest, name, null, e.Message, IsError: true));
                continue;
            }
            if (opened[^1].Manifest is var manifest && manifest.Total != manifest.Items.Count)
                faults.Add(new(DataFaultKind.Manifest, name, null, $"It states {manifest.Total} items but has {manifest.Items.Count}.", IsError: true));
        }
        return new(root, opened, faults);
    }
}
