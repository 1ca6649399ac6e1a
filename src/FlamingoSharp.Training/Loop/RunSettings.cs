using System.Globalization;

namespace FlamingoSharp.Training;

/// <summary>What the losses of a run depend on, by name: what a checkpoint must agree on with the run that goes on from it.</summary>
internal static class RunSettings
{
    /// <summary>Those of a run.</summary>
    public static SortedDictionary<string, string> Of(ITrainingTask task, TrainingRunOptions options, int processes)
    {
        var optimization = options.Optimization;
        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["stage"] = task.Name,
            ["seed"] = Text(options.Seed),
            ["learning rate"] = Text(optimization.LearningRate),
            ["warm-up steps"] = Text(optimization.WarmupSteps),
            ["schedule"] = optimization.Schedule.ToString().ToLowerInvariant(),
            ["micro-batches a step"] = Text(optimization.Accumulation * processes),
            ["clipping norm"] = Text(optimization.ClipNorm),
            ["clipping"] = optimization.ClipEachMicroBatch ? "after each micro-batch" : "before each step",
            ["decay of the weights' average"] = options.AverageDecay is { } decay ? Text(decay) : "none",
        };
        if (optimization.Schedule != LearningRateSchedule.Constant)
            settings["steps"] = Text(optimization.TotalSteps); // a constant rate may go on for longer
        foreach (var group in task.Groups)
        {
            settings[$"group '{group.Name}'"] = string.Create(CultureInfo.InvariantCulture,
                $"{group.Parameters.Count} tensors, weight decay {group.WeightDecay}, learning rate x {group.LearningRateScale}, clipped with '{group.ClipSet}'");
        }
        foreach (var (name, value) in task.Identity)
            settings[name] = value;
        return settings;
    }

    /// <summary>Refuses to go on from a checkpoint of another run.</summary>
    /// <exception cref="FlamingoException">Something differs; the message names it.</exception>
    public static void Check(string origin, IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> now)
    {
        string[] differences =
        [
            .. before.Keys.Union(now.Keys).Where(k => before.GetValueOrDefault(k) != now.GetValueOrDefault(k)).Order(StringComparer.Ordinal)
                .Select(k => $"{k}: {before.GetValueOrDefault(k) ?? "none"} there, {now.GetValueOrDefault(k) ?? "none"} here"),
        ];
        if (differences.Length > 0)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"The run in '{origin}' was begun otherwise ({string.Join("; ", differences)}): repeat its options to go on, or name another output folder.");
        }
    }

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
