using FlamingoSharp.Training.Journals;

namespace FlamingoSharp.Cli.Labels;

/// <summary>What labels depend on beside the sounds: a run continues another only where all of it is the same. Sounds may have been added.</summary>
/// <param name="Model">Fingerprint of the model.</param> <param name="Windows">Windows heard of a sound at most.</param>
/// <param name="Prompt">Exactly what the model reads.</param> <param name="Generation">How answers are generated.</param>
/// <param name="Dtype">Element type.</param> <param name="Shard">Which of several runs this is, e.g. 1/4; null for the only one.</param>
internal sealed record LabelWork(string Model, int Windows, string Prompt, GenerationFacts Generation, string Dtype, string? Shard) : IJournalWork<LabelWork>
{
    /// <inheritdoc/>
    public static string Noun => "run of labels";

    /// <inheritdoc/>
    public bool IsWhole() => Generation is not null && Windows > 0;

    /// <inheritdoc/>
    public string? DifferenceFrom(LabelWork earlier)
    {
        (string What, bool Same)[] parts =
        [
            ("the model", Model == earlier.Model), ("--max-windows", Windows == earlier.Windows), ("the prompt", Prompt == earlier.Prompt),
            ("how answers are generated", Generation == earlier.Generation), ("--dtype", Dtype == earlier.Dtype), ("--shard", Shard == earlier.Shard),
        ];
        string[] different = [.. parts.Where(p => !p.Same).Select(p => p.What)];
        return different.Length == 0 ? null : string.Join(", ", different);
    }
}
