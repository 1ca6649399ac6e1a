using FlamingoSharp.Training.Journals;

namespace FlamingoSharp.Cli.Segments;

/// <summary>What a run over segments depends on: a run continues another only where all of it is the same.</summary>
/// <param name="Sound">Fingerprint of the file's content; its name does not matter.</param>
/// <param name="Model">Fingerprint of the model.</param>
/// <param name="Seconds">Length of a segment.</param> <param name="Start">Where the first one begins, in seconds.</param>
/// <param name="Duration">Seconds of the file that are cut; null for all.</param>
/// <param name="Prompt">Exactly what the model reads.</param>
/// <param name="Generation">How answers are generated.</param>
/// <param name="Dtype">Element type.</param>
internal sealed record SegmentWork(
    string Sound, string Model, double Seconds, double Start, double? Duration, string Prompt, GenerationFacts Generation, string Dtype)
    : IJournalWork<SegmentWork>
{
    /// <inheritdoc/>
    public static string Noun => "run of captions";

    /// <inheritdoc/>
    public bool IsWhole() => Generation is not null;

    /// <inheritdoc/>
    public string? DifferenceFrom(SegmentWork earlier)
    {
        (string What, bool Same)[] parts =
        [
            ("the sound", Sound == earlier.Sound), ("the model", Model == earlier.Model), ("--segments", Seconds.Equals(earlier.Seconds)),
            ("--start", Start.Equals(earlier.Start)), ("--duration", Duration.Equals(earlier.Duration)), ("the prompt", Prompt == earlier.Prompt),
            ("how answers are generated", Generation == earlier.Generation), ("--dtype", Dtype == earlier.Dtype),
        ];
        string[] different = [.. parts.Where(p => !p.Same).Select(p => p.What)];
        return different.Length == 0 ? null : string.Join(", ", different);
    }
}
