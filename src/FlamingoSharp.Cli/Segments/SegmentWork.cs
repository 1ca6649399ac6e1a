using FlamingoSharp.Cli.Output;

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
    string Sound, string Model, double Seconds, double Start, double? Duration, string Prompt, GenerationLine Generation, string Dtype)
{
    /// <summary>What differs, in words; null where nothing does.</summary>
    public string? DifferenceFrom(SegmentWork other)
    {
        (string What, bool Same)[] parts =
        [
            ("the sound", Sound == other.Sound), ("the model", Model == other.Model), ("--segments", Seconds.Equals(other.Seconds)),
            ("--start", Start.Equals(other.Start)), ("--duration", Duration.Equals(other.Duration)), ("the prompt", Prompt == other.Prompt),
            ("how answers are generated", Generation == other.Generation), ("--dtype", Dtype == other.Dtype),
        ];
        string[] different = [.. parts.Where(p => !p.Same).Select(p => p.What)];
        return different.Length == 0 ? null : string.Join(", ", different);
    }
}
