using System.Text.Json;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Training;

/// <summary>What a run is and what it came to: <c>run.json</c> in its folder.</summary>
internal sealed record RunSummary
{
    /// <summary>Its name in the run's folder.</summary>
    public const string FileName = "run.json";

    /// <summary>What it is.</summary>
    public required TrainingStart Start { get; init; }

    /// <summary>What it came to; null while it runs, or when it was stopped.</summary>
    public TrainingOutcome? Outcome { get; init; }

    /// <summary>Reads that of a folder.</summary>
    /// <exception cref="FlamingoException">There is none.</exception>
    public static RunSummary Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        try
        {
            using var file = File.OpenRead(path);
            return JsonSerializer.Deserialize(file, LoopJson.Default.RunSummary) ?? throw new JsonException("it is empty");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}' cannot be read ({e.Message.TrimEnd('.')}): name the output folder of a training run.", e);
        }
    }

    /// <summary>Writes it into a folder.</summary>
    public void Write(string folder) =>
        AtomicFile.Write(Path.Combine(folder, FileName), f => JsonSerializer.Serialize(f, this, LoopJson.Default.RunSummary));
}
