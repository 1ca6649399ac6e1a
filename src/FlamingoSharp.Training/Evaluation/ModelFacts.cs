using System.Globalization;
using FlamingoSharp.Training.Journals;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>A file of weights, so that nobody confuses checkpoints.</summary>
/// <param name="File">Its name.</param> <param name="Bytes">Its size.</param> <param name="Sha256">Of all of its content.</param>
/// <param name="Date">When it was last written, UTC.</param>
internal sealed record WeightsFacts(string File, long Bytes, string Sha256, string Date);

/// <summary>Which model answered.</summary>
/// <param name="Name">As its configuration says.</param> <param name="Folder">Where it lies.</param>
/// <param name="Sha256">Of its weights: of the one file, or of the list of the files' hashes.</param> <param name="Weights">The files.</param>
/// <param name="PromptFormat">The form in which it is asked.</param> <param name="Device">Where it ran.</param> <param name="Dtype">Element type of weights and activations.</param>
internal sealed record ModelFacts(
    string Name, string Folder, string Sha256, IReadOnlyList<WeightsFacts> Weights, string PromptFormat, string Device, string Dtype)
{
    /// <summary>Hashes a model's weights.</summary>
    /// <exception cref="FlamingoException">A part of the model is missing.</exception>
    public static ModelFacts Of(string folder, string name, string promptFormat, FlamingoLoadOptions load, CancellationToken cancellation)
    {
        WeightsFacts[] files = [.. CheckpointFolder.Files(folder).Order(StringComparer.Ordinal).Select(f => new WeightsFacts(
            Path.GetFileName(f), new FileInfo(f).Length, Fingerprint.OfFile(f, cancellation),
            File.GetLastWriteTimeUtc(f).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)))];
        string hash = files.Length == 1 ? files[0].Sha256 : Fingerprint.OfText(string.Join('\n', files.Select(f => $"{f.File} {f.Sha256}")));
        return new(name, folder, hash, files, promptFormat, load.Device, load.Type.ToString().ToLowerInvariant());
    }
}
