namespace FlamingoSharp.Audio;

/// <summary>Which part of a sound file is read, and at which rate it is handed on. Defaults: a whole file for Audio Flamingo 1.</summary>
public sealed record SoundOptions
{
    /// <summary>Names another <c>ffmpeg</c> than the one on the search path.</summary>
    public const string FfmpegVariable = "FLAMINGO_FFMPEG";

    /// <summary>Rate of the recording that comes out, in Hz: 44100 for Audio Flamingo 1, 16000 for Audio Flamingo 2.</summary>
    public int SampleRate { get; init; } = 44100;

    /// <summary>Seconds of the file that are skipped.</summary>
    public double StartSeconds { get; init; }

    /// <summary>Seconds that are read after <see cref="StartSeconds"/>; null reads to the end.</summary>
    public double? DurationSeconds { get; init; }

    /// <summary>
    /// True reads as the reference does, for parity: up to start + duration seconds after the start, because it counts the end from the
    /// start of the file while reading begins at the offset; and of an mp3 no longer than start + duration, everything, from its beginning.
    /// Off by default: a duration is a duration. Both agree where the start is 0.
    /// </summary>
    public bool ReferenceReadLength { get; init; }

    /// <summary>The <c>ffmpeg</c> to use; null takes <see cref="FfmpegVariable"/>, then the search path.</summary>
    public string? FfmpegPath { get; init; }

    /// <summary>The options that load what a model hears of a file: its rate, and no more seconds than its windows cover.</summary>
    /// <param name="windows">How the model cuts a recording.</param>
    /// <param name="startSeconds">Seconds skipped.</param>
    /// <param name="durationSeconds">Seconds read; null takes <see cref="WindowOptions.MaxSeconds"/>.</param>
    /// <remarks>Loudness is normalised over the part that is read, so the limit belongs to the reading, not only to the cutting.</remarks>
    public static SoundOptions For(WindowOptions windows, double startSeconds = 0, double? durationSeconds = null)
    {
        ArgumentNullException.ThrowIfNull(windows);
        return new()
        {
            SampleRate = windows.SampleRate,
            StartSeconds = startSeconds,
            DurationSeconds = durationSeconds ?? windows.MaxSeconds,
        };
    }

    internal void Validate()
    {
        if (SampleRate is < Resampler.LowestRate or > Resampler.HighestRate)
            throw Wrong($"The target rate is {SampleRate} Hz; it must lie between {Resampler.LowestRate} and {Resampler.HighestRate} Hz.");
        if (!double.IsFinite(StartSeconds) || StartSeconds < 0)
            throw Wrong($"The start is {StartSeconds} s; it must be 0 or more.");
        if (DurationSeconds is { } duration && !(double.IsFinite(duration) && duration > 0))
            throw Wrong($"The duration is {duration} s; it must be more than 0, or left out to read to the end.");
    }

    private static FlamingoException Wrong(string message) => new(FlamingoErrorKind.Usage, message);
}
