using System.Text.Json;
using FlamingoSharp.Training.Data;
using FlamingoSharp.Training.DataSets;
using FlamingoSharp.Training.Stages;

namespace FlamingoSharp.Training.Config;

/// <summary>What a stage learns from and is tried on.</summary>
/// <param name="Entries">The mixture.</param> <param name="Validation">What it is tried on.</param>
/// <param name="Root">The folder that the names of recordings are relative to.</param> <param name="Manifests">Gives the JSON of the manifest with a name.</param>
internal sealed record StageData(
    IReadOnlyList<BlendEntry> Entries, IReadOnlyList<ValidationEntry> Validation, string Root, Func<string, JsonElement> Manifests)
{
    /// <summary>The data that a configuration names; what it does not say, a data set does.</summary>
    /// <param name="config">The configuration.</param> <param name="file">Its values.</param>
    /// <param name="setFolder">Made by <c>flamingo data build</c>; null for none.</param> <param name="dialogues">True for a stage of dialogues.</param>
    /// <exception cref="FlamingoException">There is no data, or it cannot be read.</exception>
    public static StageData Of(StageConfig config, ConfigFile file, string? setFolder, bool dialogues)
    {
        var set = setFolder is null ? null : DataSet.Open(setFolder);
        var entries = config.Entries;
        var validation = config.Validation;
        string? manifests = config.ManifestFolder;
        if (set is not null)
        {
            bool Fits(DataSetManifest m) => set.Task(m.Task).Kind == TaskKind.Dialogue == dialogues;
            if (entries.Count == 0)
                entries = [.. set.Of("train", withShots: null).Where(Fits).Select(m => m.Entry)];
            if (validation.Count == 0 && set.Splits.Contains("val", StringComparer.Ordinal))
                validation = [.. set.Of("val").Where(Fits).Select(m => new ValidationEntry(m.Name, m.Augmentation))];
            if (entries.Count == 0)
            {
                throw new FlamingoException(FlamingoErrorKind.Usage, dialogues
                    ? $"The data set '{setFolder}' has no dialogues to train on; 'flamingo data build' makes them of files with dialogues."
                    : $"The data set '{setFolder}' has nothing but dialogues; train on them with 'flamingo train chat'.");
            }
            return new StageData(entries, validation, set.Folder, set.Source);
        }
        if (entries.Count == 0)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                "There is nothing to train on: give --data SET, a folder made by 'flamingo data build', or a configuration with data_config.dataset_blending_config.");
        }
        if (manifests is null)
            throw file.Wrong("data_config.dataset_file_root", "is missing: name the folder of the manifests, or give --data SET.");
        return new StageData(entries, validation, file.Text("data_config.data_root"), Manifest.InFolder(manifests));
    }
}
