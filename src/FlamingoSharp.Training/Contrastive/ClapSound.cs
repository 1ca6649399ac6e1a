using FlamingoSharp.Training.Stages;

namespace FlamingoSharp.Training;

/// <summary>A sound that a CLAP model learns from, with all that may be said of it.</summary>
internal sealed record ClapSound
{
    /// <summary>Tells it from all others.</summary>
    public required string Id { get; init; }

    /// <summary>Sounds of one kind are alike, and are kept out of each other's batches: a clip's concept, a sound's labels.</summary>
    public required string Kind { get; init; }

    /// <summary>Sentences, each of them right; at least one.</summary>
    public required IReadOnlyList<string> Captions { get; init; }

    /// <summary>Shorter texts that may stand for it: the list of its labels, its most specific label.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>What it may be called among the labels of its data, each of them right; none if the data does not say.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>How often it is drawn, relative to the others, where sounds are drawn.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>True if its texts hold for all of its windows together only.</summary>
    public bool Whole { get; init; }

    /// <summary>Its file; empty where it is part of a store.</summary>
    public string Path { get; init; } = "";

    /// <summary>Gives its spectrograms, [windows, frames, mel bands]. May be called on several threads.</summary>
    public required Func<SoundFeatures> Hear { get; init; }
}
