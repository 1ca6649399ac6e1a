using System.Text.Json.Serialization;

namespace FlamingoSharp.Training;

/// <summary>A line of a run's log: a step, a validation, or the end.</summary>
internal sealed record LogLine
{
    /// <summary>Steps done.</summary>
    public required int Step { get; init; }

    /// <summary>Mean over the step's micro-batches; absent if all were left out.</summary>
    public double? Loss { get; init; }

    /// <summary>The rate of the step; absent from the line of a validation.</summary>
    public double? LearningRate { get; init; }

    /// <summary>Before clipping.</summary>
    public double? GradientNorm { get; init; }

    /// <summary>Speed of the step.</summary>
    public double? SamplesPerSecond { get; init; }

    /// <summary>Share of the step's time spent waiting for data.</summary>
    public double? DataWait { get; init; }

    /// <summary>Of the process, in MB.</summary>
    public double? MemoryMb { get; init; }

    /// <summary>Micro-batches left out so far, if any.</summary>
    public int? Skipped { get; init; }

    /// <summary>Where the time of the whole run went, as shares of it; in the line of the end alone.</summary>
    public LoggedTime? Time { get; init; }

    /// <summary>On sounds that are not learned from.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Further figures of a validation.</summary>
    public IReadOnlyDictionary<string, double>? Scores { get; init; }
}

/// <summary>The shares of a run's time.</summary>
internal sealed record LoggedTime(double Seconds, double Computing, double Waiting, double Validating, double Saving)
{
    /// <summary>Of a time, to four digits.</summary>
    public static LoggedTime Of(TrainingTime time) => new(
        Math.Round(time.Seconds, 1), Share(time, time.Computing), Share(time, time.Waiting), Share(time, time.Validating), Share(time, time.Saving));

    private static double Share(TrainingTime time, double seconds) => Math.Round(time.ShareOf(seconds), 4);
}

/// <summary>A file of a checkpoint, as it was written.</summary>
internal sealed record CheckpointFileSum(string Name, long Bytes, uint Crc32);

/// <summary>What a checkpoint says beside its tensors.</summary>
internal sealed record CheckpointState
{
    /// <summary>Of this form.</summary>
    public const string CurrentFormat = "flamingosharp-run-1";

    /// <summary>Which form it is.</summary>
    public required string Format { get; init; }

    /// <summary>Where the run stands.</summary>
    public required RunPosition Position { get; init; }

    /// <summary>What a run must agree on to go on from it, by name.</summary>
    public required SortedDictionary<string, string> Settings { get; init; }

    /// <summary>Steps that each parameter took part in, by name.</summary>
    public required SortedDictionary<string, long> ParameterSteps { get; init; }

    /// <summary>Threads that torch computed with; null in checkpoints of earlier versions.</summary>
    public int? Threads { get; init; }

    /// <summary>Updates of the weights' average.</summary>
    public int AverageUpdates { get; init; }

    /// <summary>The other files.</summary>
    public IReadOnlyList<CheckpointFileSum> Files { get; init; } = [];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(RunSummary))]
[JsonSerializable(typeof(LogLine))]
[JsonSerializable(typeof(CheckpointState))]
internal sealed partial class LoopJson : JsonSerializerContext;
