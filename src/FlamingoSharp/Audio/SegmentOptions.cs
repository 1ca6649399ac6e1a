namespace FlamingoSharp.Audio;

/// <summary>How a long sound is cut into segments that are heard one after another.</summary>
public sealed record SegmentOptions
{
    /// <summary>Seconds; a rest at the end that is shorter is left out, because nothing can be said about it.</summary>
    public const double ShortestSeconds = 0.5;

    /// <summary>Length of a segment, in seconds: from 1 to what the model hears (<see cref="WindowOptions.MaxSeconds"/>).</summary>
    public double Seconds { get; init; } = 10;

    /// <summary>Seconds of the file before the first segment.</summary>
    public double StartSeconds { get; init; }

    /// <summary>Seconds after <see cref="StartSeconds"/> that are cut into segments; null goes on to the end.</summary>
    public double? DurationSeconds { get; init; }

    /// <summary>Segments that are passed over, because they were heard before; the first that is heard has this index.</summary>
    public int First { get; init; }

    /// <summary>Segments that are answered together; the answers do not depend on it.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>The <c>ffmpeg</c> to use, as in <see cref="SoundOptions.FfmpegPath"/>.</summary>
    public string? FfmpegPath { get; init; }

    /// <summary>Checks the options against a model.</summary>
    /// <exception cref="FlamingoException">A segment is longer than the model hears, or a number makes no sense.</exception>
    public void Validate(WindowOptions windows)
    {
        ArgumentNullException.ThrowIfNull(windows);
        if (!(Seconds >= 1 && Seconds <= windows.MaxSeconds))
            throw Wrong(FormattableString.Invariant($"A segment is {Seconds} s long; this model takes segments from 1 to {windows.MaxSeconds} s."));
        new SoundOptions { StartSeconds = StartSeconds, DurationSeconds = DurationSeconds }.Validate();
        if (First < 0 || Batch < 1)
            throw Wrong($"The first segment is {First} and {Batch} are answered together; they must be at least 0 and 1.");
    }

    private static FlamingoException Wrong(string message) => new(FlamingoErrorKind.Usage, message);
}
