using System.Text.Json.Serialization;
using FlamingoSharp.Training.Journals;

namespace FlamingoSharp.Cli.Output;

/// <summary>What <c>flamingo label</c> writes of one sound, a line each: a text, or why there is none.</summary>
internal sealed record LabelLine
{
    public required string File { get; init; }

    /// <summary>The part that is meant, in seconds, where the manifest or the command line names one.</summary>
    public double? Start { get; init; }

    public double? Duration { get; init; }

    public string? Text { get; init; }

    /// <summary>Why the sound could not be read; it is not tried again.</summary>
    public string? Error { get; init; }

    /// <summary>Every text, when more than one was asked for.</summary>
    public IReadOnlyList<CandidateLine>? Candidates { get; init; }

    /// <summary>As in <see cref="AnswerLine"/>.</summary>
    public string? Finish { get; init; }

    public int? Tokens { get; init; }

    public double? SecondsHeard { get; init; }

    public double? SecondsDropped { get; init; }

    public IReadOnlyList<string>? Warnings { get; init; }

    public string? Model { get; init; }

    /// <summary>What the model was asked.</summary>
    public string? Question { get; init; }

    public GenerationFacts? Generation { get; init; }

    /// <summary>Tells the sounds of a run apart.</summary>
    [JsonIgnore]
    public LabelKey Key => new(File, Start, Duration);
}

/// <summary>A sound, or a part of one.</summary>
/// <param name="File">As the command line, the folder or the manifest names it.</param>
/// <param name="Start">Seconds skipped; null for none.</param> <param name="Duration">Seconds meant; null for all that the model hears.</param>
internal sealed record LabelKey(string File, double? Start = null, double? Duration = null);
