using FlamingoSharp.Training.Config;

namespace FlamingoSharp.Training.Stages;

/// <summary>What a stage is asked to do.</summary>
public sealed record LanguageTrainingRequest
{
    /// <summary><c>pretrain</c>, <c>sft</c>, <c>chat</c> or <c>finetune</c>.</summary>
    public required string Stage { get; init; }

    /// <summary>A configuration in the form of the reference's YAML files; null for defaults.</summary>
    public string? ConfigPath { get; init; }

    /// <summary>Changes of the configuration, <c>section.key=value</c>.</summary>
    public IReadOnlyList<string> Changes { get; init; } = [];

    /// <summary>The model folder that training starts from; null takes that of the configuration, or the language model and encoder that it names.</summary>
    public string? ModelFolder { get; init; }

    /// <summary>The model folder where neither <see cref="ModelFolder"/> nor the configuration names one; null for an error.</summary>
    public string? FallbackModelFolder { get; init; }

    /// <summary>A data set made by <c>flamingo data build</c>; null takes the data of the configuration.</summary>
    public string? DataFolder { get; init; }

    /// <summary>Where the model is.</summary>
    public string Device { get; init; } = "cpu";
}

/// <summary>A stage of the recipe, opened and checked: the model hears, reads and answers better afterwards.</summary>
public sealed class LanguageTraining : IDisposable
{
    /// <summary>The file beside the model that says what it was trained with.</summary>
    public const string ConfigName = "config.yaml";

    private readonly ConfigFile _file;
    private readonly StageConfig _config;
    private readonly LanguageTask _task;
    private readonly IReadOnlyList<string>? _labels;

    private LanguageTraining(ConfigFile file, StageConfig config, LanguageTask task, IReadOnlyList<string> notes, IReadOnlyList<string>? labels) =>
        (_file, _config, _task, Notes, _labels) = (file, config, task, notes, labels);

    /// <summary>The names of the stages.</summary>
    public static IReadOnlyList<string> Stages { get; } = ["pretrain", "sft", "chat", "finetune"];

    /// <summary>Everything that holds, defaults included, in the form of the configuration.</summary>
    public string Resolved => _file.ToYaml();

    /// <summary>Keys of the configuration that change nothing, each with the reason.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Opens model and data and checks that they fit, before anything is trained.</summary>
    /// <exception cref="FlamingoException">The configuration is wrong, or model or data cannot be used or do not fit each other.</exception>
    public static LanguageTraining Open(LanguageTrainingRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var file = ConfigFile.Read(request.ConfigPath, request.Changes, StageConfig.DefaultsOf(request.Stage));
        var config = new StageConfig(file, request.Stage);
        string? whole = request.ModelFolder ?? config.ModelFolder;
        var parts = whole is null ? config.Parts : null;
        var data = StageData.Of(config, file, request.DataFolder, dialogues: request.Stage == "chat");
        var task = new LanguageTask(parts is not null ? config.Task(parts, data, request.Device)
            : config.Task(whole ?? request.FallbackModelFolder ?? throw NoModel(), data, request.Device));
        string[] notes = [.. file.WithoutEffect(), .. parts is null && config.SuperfluousParts is { } note ? [note] : Array.Empty<string>()];
        return new LanguageTraining(file, config, task, notes, request is { Stage: FineTuning.Stage, DataFolder: { } set } ? FineTuning.LabelsOf(set) : null);
    }

    /// <summary>How the run goes where the command line says nothing else.</summary>
    /// <param name="folder">The folder of the run, which becomes the model's.</param>
    public TrainingRunOptions Defaults(string folder) => _config.Run(folder, _task.EpochMicroBatches!.Value);

    /// <summary>Trains to the end; the model is written anew at each validation that is the best so far, and at the end.</summary>
    /// <param name="run">How long, and where to.</param> <param name="observers">Told what happens.</param> <param name="cancellation">Stops between steps.</param>
    /// <exception cref="FlamingoException">A sound cannot be read, the losses are no numbers, or the folder cannot be written.</exception>
    public TrainingOutcome Run(TrainingRunOptions run, IReadOnlyList<ITrainingObserver> observers, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(run);
        var stage = _task.Stage;
        var form = stage.Config with { Name = _config.RunName ?? stage.Config.Name, Labels = _labels ?? stage.Config.Labels };
        return new TrainingLoop(_task, run)
        {
            Observers = [new ConfigKeeper(run.Folder, Resolved), .. observers],
            Keep = weights =>
            {
                StageFolder.Write(run.Folder, form, stage.Tokenizer, weights, stage.StoredType);
                _task.Adapters?.Save(Path.Combine(run.Folder, LoraAdapters.FileName));
            },
        }.Run(cancellation);
    }

    /// <inheritdoc/>
    public void Dispose() => _task.Dispose();

    private static FlamingoException NoModel() => new(FlamingoErrorKind.Usage,
        "There is no model to start from: give --model, or name one in the configuration with model_config.path; or make one of --language-model and --encoder.");

    // Once the run has its folder: a run that is refused changes nothing there.
    private sealed class ConfigKeeper(string folder, string resolved) : ITrainingObserver
    {
        public void Started(TrainingStart start) => StageFolder.WriteText(folder, ConfigName, resolved);
    }
}
