using System.Text.Json;

namespace FlamingoSharp.Training.DataSets.Sources.Layouts;

/// <summary>What a layout gives: tasks, and examples of them.</summary>
internal sealed record LayoutContent(IReadOnlyList<DataSetTask> Tasks, IReadOnlyList<SourceExample> Examples);

/// <summary>How a published data set lies on disk when its archives are unpacked, and what is asked about it.</summary>
/// <param name="Name">What it is chosen by, e.g. <c>clotho-v2</c>.</param>
/// <param name="SetName">What it is called in the reference's manifests.</param>
/// <param name="Folder">What the folder holds, for listings.</param>
/// <param name="Read">Reads it. A split that is not there is passed over; one at least must be.</param>
internal sealed record Layout(string Name, string SetName, string Folder, Func<LayoutFolder, LayoutContent> Read)
{
    /// <summary>Every layout, by name.</summary>
    public static IReadOnlyList<Layout> All { get; } =
        [.. CaptionLayouts.All.Concat(ClassificationLayouts.All).Concat(TaggingLayouts.All).Concat(QuestionLayouts.All).OrderBy(l => l.Name, StringComparer.Ordinal)];

    /// <summary>The layout of a name.</summary>
    /// <exception cref="FlamingoException">There is none.</exception>
    public static Layout Find(string name) => All.FirstOrDefault(l => l.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) ?? throw new FlamingoException(
        FlamingoErrorKind.Usage, $"There is no layout '{name}'; there are {string.Join(", ", All.Select(l => l.Name))}.");
}

/// <summary>A folder of a published data set as a source; its tasks keep the names that they have in the reference.</summary>
internal sealed class LayoutSource(Layout layout, string folder) : IDataSource
{
    public string Name => layout.SetName;

    public SourceContent Read(string name, string outFolder, Action<double> progress, CancellationToken cancellation)
    {
        if (!Directory.Exists(folder))
            throw new FlamingoException(FlamingoErrorKind.Input, $"There is no folder '{folder}'; check the path.");
        var root = new LayoutFolder(layout.Name, folder);
        try
        {
            var content = layout.Read(root);
            return new() { Tasks = content.Tasks, Examples = content.Examples, LeftOut = root.LeftOut };
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException or JsonException)
        {
            throw new FlamingoException(FlamingoErrorKind.Input, $"A file in '{folder}' is not of the form of {layout.SetName}: {e.Message}", e);
        }
    }
}
