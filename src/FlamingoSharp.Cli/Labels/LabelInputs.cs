using FlamingoSharp.Cli.Output;
using FlamingoSharp.Training.Data;
using FlamingoSharp.Training.DataSets.Sources;

namespace FlamingoSharp.Cli.Labels;

/// <summary>The sounds that the arguments of <c>flamingo label</c> name.</summary>
internal static class LabelInputs
{
    /// <summary>Each sound once, in the order of the arguments.</summary>
    /// <param name="arguments">Sound files, patterns, folders of sounds, data sets, manifests.</param>
    /// <exception cref="FlamingoException">There is no sound, or a manifest cannot be read.</exception>
    public static IReadOnlyList<LabelKey> Read(IReadOnlyList<string> arguments)
    {
        List<LabelKey> sounds = [.. arguments.SelectMany(Read).Distinct()];
        return sounds.Count > 0 ? sounds : throw new FlamingoException(FlamingoErrorKind.Input,
            $"There is no sound in {string.Join(", ", arguments.Select(a => $"'{a}'"))}; name sound files, a folder of them, a data set or a manifest.");
    }

    private static IEnumerable<LabelKey> Read(string argument)
    {
        if (Directory.Exists(argument))
        {
            return File.Exists(Path.Combine(argument, "set.json"))
                ? Manifests(argument).SelectMany(OfManifest)
                : SoundNames.Below(argument).Select(f => new LabelKey(f));
        }
        return Path.GetExtension(argument) == ".json" ? OfManifest(argument) : InputFiles.Expand([argument]).Select(f => new LabelKey(f));
    }

    // Those with shots name no sounds of their own.
    private static IEnumerable<string> Manifests(string set) =>
        Directory.EnumerateDirectories(set).Order(StringComparer.Ordinal)
            .SelectMany(d => Directory.EnumerateFiles(d, "*.json").Order(StringComparer.Ordinal))
            .Where(f => !Path.GetFileName(f).StartsWith("interleaved", StringComparison.Ordinal));

    // Dataset-Task/split.json of the folder above; recordings are named relative to that, or absolutely.
    private static IEnumerable<LabelKey> OfManifest(string path)
    {
        if (!File.Exists(path))
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}' does not exist; check the path.");
        string full = Path.GetFullPath(path), folder = Path.GetDirectoryName(Path.GetDirectoryName(full)) ?? "/";
        var open = Manifest.InFolder(folder);
        string name = Path.ChangeExtension(Path.GetRelativePath(folder, full), null);
        bool absolute = open(name).TryGetProperty("dataset_path", out var home) && home.GetString() is ['/', ..];
        string shown = Path.GetDirectoryName(Path.GetDirectoryName(path)) is { Length: > 0 } above ? above : "";
        return Manifest.Read(name, absolute ? "/" : "", open).Items.SelectMany(i => i.Value.Examples).Select(e => new LabelKey(
            Path.Combine(absolute ? "/" : shown, e.Name), e.AudioStart > 0 ? e.AudioStart : null, e.AudioDuration));
    }
}
