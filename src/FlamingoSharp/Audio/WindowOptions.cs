namespace FlamingoSharp.Audio;

/// <summary>How a recording is cut before encoding. Defaults: the AF1 foundation configuration.</summary>
public sealed record WindowOptions
{
    /// <summary>Rate of the recordings, in Hz. AF2: 16000.</summary>
    public int SampleRate { get; init; } = 44100;

    /// <summary>Length of one window, in seconds. AF2: 10.</summary>
    public double LengthSeconds { get; init; } = 7.0;

    /// <summary>Seconds shared by neighbouring windows; less than <see cref="LengthSeconds"/>. AF2: 0.</summary>
    public double OverlapSeconds { get; init; } = 5.25;

    /// <summary>Windows kept per recording; 16 cover 33.25 s. Later audio is dropped, and the caller is told. AF2: 12.</summary>
    public int MaxWindows { get; init; } = 16;

    /// <summary>Recordings that one prompt may hold: 1 for the AF1 foundation model, 4 for its chat model, up to 8 in few-shot training.</summary>
    public int Slots { get; init; } = 1;

    /// <summary>
    /// True fills each recording up with silent, masked windows to <see cref="MaxWindows"/>, and the prompt to <see cref="Slots"/> recordings.
    /// AF2: false, as many windows as the sound has.
    /// </summary>
    public bool PadToMaxWindows { get; init; } = true;

    /// <summary>
    /// True fills the only window of a short recording by repeating it, as CLAP encoders are trained (arXiv 2211.06687), instead of by
    /// silence: a sound of half a second then is not lost in a window of five. Audio Flamingo 1 and 2: false.
    /// </summary>
    public bool RepeatShort { get; init; }

    /// <summary>Seconds that the windows of one recording cover at most.</summary>
    public double MaxSeconds => (MaxWindows * (LengthSeconds - OverlapSeconds)) + OverlapSeconds;

    /// <summary>Samples of one window.</summary>
    public int WindowSamples => (int)(LengthSeconds * SampleRate);

    /// <summary>Samples from the start of one window to that of the next.</summary>
    public int StepSamples => WindowSamples - (int)(OverlapSeconds * SampleRate);

    internal void Validate()
    {
        if (SampleRate <= 0)
            throw Wrong($"the sample rate is {SampleRate} Hz; it must be more than 0");
        if (!double.IsFinite(LengthSeconds) || LengthSeconds * SampleRate is < 1 or > int.MaxValue)
            throw Wrong($"a window of {LengthSeconds} s holds no sample, or too many, at {SampleRate} Hz");
        if (!(OverlapSeconds >= 0 && OverlapSeconds < LengthSeconds && StepSamples > 0))
            throw Wrong($"the overlap is {OverlapSeconds} s; it must be 0 or more and shorter than the window of {LengthSeconds} s");
        if (MaxWindows < 1 || Slots < 1)
            throw Wrong($"{MaxWindows} windows in {Slots} slots leave no room for a sound; both must be 1 or more");
    }

    private static FlamingoException Wrong(string what) => new(FlamingoErrorKind.Usage, $"The window options do not fit: {what}.");
}
