using FlamingoSharp.Runtime;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Training;

/// <summary>Makes one model of several runs that began with the same weights.</summary>
public static class ModelAveraging
{
    /// <summary>Writes the mean of models ("Model soups", arXiv 2203.05482), with the configuration and the tokenizer that they share.</summary>
    /// <param name="models">Model folders, two or more.</param>
    /// <param name="output">The folder to write; must not exist, or be empty.</param>
    /// <param name="cancellation">Stops it; nothing is written then.</param>
    /// <exception cref="FlamingoException">There are fewer than two, one cannot be read, or they differ in more than the values of their weights.</exception>
    public static ModelFolder Run(IReadOnlyList<string> models, string output, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(models);
        if (models.Count < 2)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"{models.Count} model was named; an average needs two or more.");
        NativeRuntime.EnsureLoaded();
        ModelFolder[] folders = [.. models.Select(ModelFolder.Open)];
        string[] shared = ["config.json", .. ModelFolder.TokenizerFiles(folders[0].TokenizerFolder)!];
        foreach (var other in folders.Skip(1))
        {
            if (shared.FirstOrDefault(f => !Same(folders[0], other, f)) is { } unlike)
                throw new FlamingoException(FlamingoErrorKind.Model, $"{folders[0].Path} and {other.Path} differ in {unlike}. Average models of one configuration and one tokenizer.");
        }
        List<IWeightSource> parts = [];
        try
        {
            foreach (var folder in folders)
                parts.Add(folder.OpenWeights());
            var mean = new AveragedSource(parts);
            return ModelFolder.Write(output, into =>
            {
                foreach (string file in shared)
                    File.Copy(Path.Combine(folders[0].Path, file), Path.Combine(into, file));
                SafeTensorsWriter.WriteFolder(into, mean, new SafeTensorsOptions(), cancellation);
            });
        }
        finally
        {
            parts.ForEach(p => p.Dispose());
        }
    }

    private static bool Same(ModelFolder one, ModelFolder other, string file)
    {
        string path = Path.Combine(other.Path, file);
        return File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(one.Path, file)));
    }
}
