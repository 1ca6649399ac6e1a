namespace FlamingoSharp.Training.Sounds;

/// <summary>A sound that is made, not recorded: a line of <c>synthesis.jsonl</c>.</summary>
public abstract record Recipe : LabelledSound
{
    /// <summary>The kind as the file names it: fluidsynth, espeak-ng, flite, sox or compose.</summary>
    public abstract string Kind { get; }
}

/// <summary>One note.</summary>
/// <param name="Key">MIDI key, 0 to 127; 60 is middle C.</param>
/// <param name="Velocity">MIDI velocity, 1 to 127.</param>
/// <param name="StartSeconds">When it is struck, in seconds from the start.</param>
/// <param name="DurationSeconds">How long it is held, in seconds.</param>
public sealed record Note(int Key, int Velocity, double StartSeconds, double DurationSeconds);

/// <summary>Notes played by a General MIDI instrument of a soundfont.</summary>
public sealed record MusicRecipe : Recipe
{
    /// <inheritdoc/>
    public override string Kind => "fluidsynth";

    /// <summary>The Debian package of the soundfont.</summary>
    public required string Soundfont { get; init; }

    /// <summary>General MIDI program, 0 to 127; null is the drum kit (channel 10).</summary>
    public required int? Program { get; init; }

    /// <summary>What is played.</summary>
    public required IReadOnlyList<Note> Notes { get; init; }

    /// <summary>The instrument's General MIDI name; null for the drum kit.</summary>
    public string? Instrument { get; init; }
}

/// <summary>A text spoken by a speech synthesiser.</summary>
public sealed record SpokenRecipe : Recipe
{
    /// <inheritdoc/>
    public override string Kind => Tool;

    /// <summary>espeak-ng or flite.</summary>
    public required string Tool { get; init; }

    /// <summary>The voice, in the tool's own names.</summary>
    public required string Voice { get; init; }

    /// <summary>What is said.</summary>
    public required string Text { get; init; }

    /// <summary>The language in English.</summary>
    public required string Language { get; init; }

    /// <summary>Words a minute (espeak-ng only).</summary>
    public int? WordsPerMinute { get; init; }

    /// <summary>Pitch, 0 to 99 (espeak-ng only).</summary>
    public int? Pitch { get; init; }
}

/// <summary>One stretch of a tone sequence.</summary>
/// <param name="Hertz">Frequency; null is silence.</param>
/// <param name="Seconds">Length in seconds.</param>
/// <param name="GainDecibels">Level relative to full scale, in dB.</param>
public sealed record ToneStep(double? Hertz, double Seconds, double GainDecibels);

/// <summary>Tones, sweeps, noises, beeps, clicks and silence, generated in code.</summary>
public sealed record ToneRecipe : Recipe
{
    /// <inheritdoc/>
    public override string Kind => "sox";

    /// <summary>sine, square, triangle, sawtooth, whitenoise, pinknoise, brownnoise, click or silence.</summary>
    public required string Wave { get; init; }

    /// <summary>Frequency at the start, in Hz; null where the wave has none.</summary>
    public double? FromHertz { get; init; }

    /// <summary>Frequency at the end, in Hz; differs from the start in a sweep.</summary>
    public double? ToHertz { get; init; }

    /// <summary>Level relative to full scale, in dB.</summary>
    public double GainDecibels { get; init; }

    /// <summary>Length of the ramps at both ends, in seconds.</summary>
    public double EdgeSeconds { get; init; }

    /// <summary>in, out or null: a ramp over the whole length.</summary>
    public string? Fade { get; init; }

    /// <summary>Seconds on, off, on …; empty where the sound is not a pattern of beeps.</summary>
    public IReadOnlyList<double> Pattern { get; init; } = [];

    /// <summary>Tones one after the other; empty where there is only one.</summary>
    public IReadOnlyList<ToneStep> Sequence { get; init; } = [];

    /// <summary>Clicks a minute.</summary>
    public double? BeatsPerMinute { get; init; }

    /// <summary>Number of clicks.</summary>
    public int? Clicks { get; init; }
}

/// <summary>How the parts of a composition are put together.</summary>
public enum CompositionKind
{
    /// <summary>One clip several times.</summary>
    Repeat,

    /// <summary>Several clips one after the other.</summary>
    Sequence,

    /// <summary>A clip in front of a background.</summary>
    Mix,
}

/// <summary>A clip's place in a composition.</summary>
public sealed record CompositionPart
{
    /// <summary>The clip's id.</summary>
    public required string Ref { get; init; }

    /// <summary>Where it starts in the composition, in seconds.</summary>
    public double StartSeconds { get; init; }

    /// <summary>Level after all parts of a mix were brought to equal RMS, in dB.</summary>
    public double GainDecibels { get; init; }

    /// <summary>Where reading starts, in seconds into the clip's file; null is the start of its used part.</summary>
    public double? OffsetSeconds { get; init; }

    /// <summary>Length that the part is looped or cut to, in seconds; null is as long as the clip.</summary>
    public double? DurationSeconds { get; init; }
}

/// <summary>A sound built from catalogue clips.</summary>
public sealed record CompositionRecipe : Recipe
{
    /// <inheritdoc/>
    public override string Kind => "compose";

    /// <summary>How the parts are put together.</summary>
    public required CompositionKind Composition { get; init; }

    /// <summary>What is heard, as concept keys and as phrases with articles ("a dog barking"), in order.</summary>
    public IReadOnlyList<(string Concept, string Phrase)> Heard { get; init; } = [];

    /// <summary>The clips and their places.</summary>
    public required IReadOnlyList<CompositionPart> Parts { get; init; }
}
