using System.CommandLine;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Training.Stages;

namespace FlamingoSharp.Cli.Verbs.Train;

/// <summary><c>flamingo train pretrain|sft|chat</c>: a stage of the recipe over manifests, for Audio Flamingo 1 and 2 alike.</summary>
internal class TrainStageVerb : Verb
{
    private readonly Option<string?> _config = new("--config", "-c")
    {
        Description = "Configuration in the form of the reference's YAML files, which load as they are. Default: the stage's own.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _model = new("--model", "-m")
    {
        Description = "Model folder that training starts from. Default: that of the configuration, else as for other verbs.",
        HelpName = "MODEL",
    };

    private readonly Option<string> _device = new("--device") { Description = "cpu, cuda or cuda:N.", HelpName = "DEVICE", DefaultValueFactory = _ => "cpu" };

    private readonly Argument<string[]> _changes = new("KEY=VALUE")
    {
        Description = "Changes of the configuration, e.g. train_config.num_epochs=3 lora_config.rank=8.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    public TrainStageVerb(string stage, string description, params string[] examples)
        : base(stage, description, examples)
    {
        Data = new("--data")
        {
            Description = "Data set made by 'flamingo data build'. Default: the manifests of the configuration.",
            HelpName = "SET",
            Required = stage == FineTuning.Stage,
        };
        Add(_changes);
        foreach (Option option in new Option[] { Data, _config, _model, _device })
            Add(option);
        Training.AddTo(this);
    }

    protected Option<string?> Data { get; }

    protected TrainingOptions Training { get; } = new();

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        Train(parse, parse.GetValue(_changes)!, new(), cancellation);
        return Task.FromResult(ExitCode.Ok);
    }

    /// <summary>Opens, says what holds, and trains.</summary>
    /// <param name="parse">The command line.</param> <param name="changes">Of the configuration.</param>
    /// <param name="lines">Says how it goes.</param> <param name="cancellation">Ctrl-C.</param>
    /// <param name="limit">Ends the run after this time, if the command line says nothing else.</param>
    protected void Train(ParseResult parse, IEnumerable<string> changes, TrainingLines lines, CancellationToken cancellation, TimeSpan? limit = null)
    {
        string? model = parse.GetValue(_model), config = parse.GetValue(_config);
        if (model is not null)
            model = ModelLocator.Locate(model);
        string[] seed = Training.SeedOf(parse) is { } given ? [$"train_config.seed={given}"] : [];
        using var training = LanguageTraining.Open(new LanguageTrainingRequest
        {
            Stage = Name,
            ConfigPath = config,
            Changes = [.. seed, .. changes],
            ModelFolder = model,
            FallbackModelFolder = ModelLocator.Find(null),
            DataFolder = parse.GetValue(Data),
            Device = parse.GetValue(_device)!,
        });
        foreach (string note in training.Notes)
            Terminal.Note(note);
        Terminal.Tell(training.Resolved.TrimEnd());
        training.Run(Training.Read(parse, training.Defaults(Training.FolderOf(parse)) with { TimeBudget = limit }), [lines], cancellation);
    }

    protected IReadOnlyList<string> Changes(ParseResult parse) => parse.GetValue(_changes)!;
}
