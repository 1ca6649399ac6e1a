namespace FlamingoSharp.Cli.Output;

/// <summary>A bench as <c>--json</c> prints it; every time is the median over the runs.</summary>
internal sealed record BenchLine
{
    public required string Model { get; init; }

    public required string Device { get; init; }

    public required string Dtype { get; init; }

    public required int Threads { get; init; }

    public required int Runs { get; init; }

    /// <summary>Seconds to load the model from its folder.</summary>
    public required double LoadSeconds { get; init; }

    /// <summary>Milliseconds to encode one window of sound.</summary>
    public required double EncoderMsPerWindow { get; init; }

    /// <summary>Windows of sound in a run.</summary>
    public required int Windows { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Prompt tokens read a second.</summary>
    public required double PrefillTokensPerSecond { get; init; }

    /// <summary>Tokens generated in each run.</summary>
    public required int GeneratedTokens { get; init; }

    /// <summary>Tokens generated a second, after the first.</summary>
    public required double DecodeTokensPerSecond { get; init; }

    /// <summary>Milliseconds from a recording in memory to the first token: encoding, prefill, one token.</summary>
    public required double TimeToFirstTokenMs { get; init; }

    /// <summary>Seconds of sound in a run.</summary>
    public required double SoundSeconds { get; init; }

    /// <summary>Most memory that the process ever held, in MB.</summary>
    public required double PeakRssMb { get; init; }
}
