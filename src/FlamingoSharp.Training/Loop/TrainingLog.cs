using System.Text;
using System.Text.Json;

namespace FlamingoSharp.Training;

/// <summary>The log of a run, <c>log.jsonl</c>: a line a step, one a validation, and one at the end.</summary>
/// <remarks>A run that goes on from a checkpoint first cuts off what was written after it, so that the log reads as if nothing had happened.</remarks>
internal sealed class TrainingLog : ITrainingObserver, IDisposable
{
    /// <summary>Its name in the run's folder.</summary>
    public const string FileName = "log.jsonl";

    private readonly FileStream _file;

    /// <param name="folder">Of the run.</param> <param name="position">Where the run goes on; what is there beyond it is cut off.</param>
    public TrainingLog(string folder, RunPosition position)
    {
        _file = new FileStream(Path.Combine(folder, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        long good = 0;
        foreach (var (line, end) in Read(_file))
        {
            if (line.Time is not null || line.Step > (line.LearningRate is null ? position.ValidatedAt : position.Step))
                break;
            good = end;
        }
        _file.SetLength(good);
        _file.Position = good;
    }

    /// <summary>The whole lines of a log.</summary>
    public static IReadOnlyList<LogLine> Read(string folder)
    {
        using var file = new FileStream(Path.Combine(folder, FileName), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return [.. Read(file).Select(l => l.Line)];
    }

    /// <inheritdoc/>
    public void Stepped(TrainingStepReport step) => Write(new LogLine
    {
        Step = step.Step,
        Loss = Finite(step.Loss),
        LearningRate = step.LearningRate,
        GradientNorm = Finite(step.GradientNorm),
        SamplesPerSecond = Math.Round(step.SamplesPerSecond, 2),
        DataWait = step.Seconds > 0 ? Math.Round(step.WaitSeconds / step.Seconds, 4) : 0,
        MemoryMb = Math.Round(step.MemoryBytes / 1048576.0),
        Skipped = step.Skipped > 0 ? step.Skipped : null,
    });

    /// <inheritdoc/>
    public void Validated(TrainingValidation validation) => Write(new LogLine
    {
        Step = validation.Step,
        ValidationLoss = Finite(validation.Loss),
        Scores = validation.Scores.Count == 0 ? null : validation.Scores.Where(s => double.IsFinite(s.Value)).ToDictionary(),
    });

    /// <inheritdoc/>
    public void Ended(TrainingOutcome outcome) => Write(new LogLine { Step = outcome.Steps, Time = LoggedTime.Of(outcome.Time) });

    /// <summary>Forces the lines to disk.</summary>
    public void Flush() => _file.Flush(flushToDisk: true);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;

    // A line that a killed run has not finished ends the log.
    private static List<(LogLine Line, long End)> Read(FileStream file)
    {
        byte[] bytes = new byte[file.Length];
        file.Position = 0;
        file.ReadExactly(bytes);
        var lines = new List<(LogLine, long)>();
        int at = 0;
        for (int length; (length = bytes.AsSpan(at).IndexOf((byte)'\n')) >= 0; at += length + 1)
        {
            try
            {
                if (JsonSerializer.Deserialize(bytes.AsSpan(at, length), LoopJson.Default.LogLine) is not { } line)
                    break;
                lines.Add((line, at + length + 1));
            }
            catch (JsonException)
            {
                break;
            }
        }
        return lines;
    }

    private void Write(LogLine line) => _file.Write(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(line, LoopJson.Default.LogLine) + "\n"));
}
