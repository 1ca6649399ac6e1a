using System.Globalization;
using FlamingoSharp.Generation;
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

/// <summary>Every option of generation that can change an answer.</summary>
internal sealed record GenerationFacts
{
    public required int MaxNewTokens { get; init; }

    public required int NumBeams { get; init; }

    public required bool Sample { get; init; }

    /// <summary>What follows, up to the seed, holds for sampling alone.</summary>
    public double? Temperature { get; init; }

    public int? TopK { get; init; }

    public double? TopP { get; init; }

    public long? Seed { get; init; }

    /// <summary>Holds for beams alone.</summary>
    public double? LengthPenalty { get; init; }

    public string? StopStrings { get; init; }

    public bool ReferenceFewShotBug { get; init; }

    public static GenerationFacts Of(GenerationOptions options) => new()
    {
        MaxNewTokens = options.MaxNewTokens,
        NumBeams = options.NumBeams,
        Sample = options.Sample,
        Temperature = options.Sample ? options.Temperature : null,
        TopK = options.Sample ? options.TopK : null,
        TopP = options.Sample ? options.TopP : null,
        Seed = options.Sample ? options.Seed : null,
        LengthPenalty = options.NumBeams > 1 ? options.LengthPenalty : null,
        StopStrings = options.StopStrings.Count > 0 ? string.Join(" | ", options.StopStrings) : null,
        ReferenceFewShotBug = options.ReferenceFewShotBug,
    };
}
