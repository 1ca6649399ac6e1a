using System.CommandLine;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Models;
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

    private readonly Option<string?> _language = new("--language-model")
    {
        Description = "Hugging Face folder of the plain language model (OPT or Qwen2) that a new model is made of, with --encoder. In a configuration: model_config.lang_encoder_path.",
        HelpName = "DIR",
    };

    private readonly Option<string?> _encoder = new("--encoder")
    {
        Description = "Sound encoder of a new model: checkpoint of a CLAP, or folder of a model. In a configuration: clap_config.checkpoint.",
        HelpName = "PATH",
    };

    private readonly Option<string?> _tokenizer = new("--tokenizer") { Description = "Folder of a new model's tokenizer. Default: that of the language model.", HelpName = "DIR" };

    private readonly Option<string?> _preset = PresetOption.Create(["af1", .. FlamingoConfig.Presets.Keys])!;

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
        if (stage == "pretrain")
        {
            foreach (Option option in NewModel)
                Add(option);
            Validators.Add(command =>
            {
                if (command.GetResult(_model) is not null && NewModel.Any(o => command.GetResult(o) is not null))
                    command.AddError("Start from a whole model by --model, or make a new one by --language-model and --encoder, not both.");
                else if (command.GetResult(_language) is null != command.GetResult(_encoder) is null && command.GetResult(_config) is null)
                    command.AddError("A new model is made of a language model and a sound encoder: give both --language-model and --encoder.");
            });
        }
        Training.AddTo(this);
    }

    private Option<string?>[] NewModel => [_language, _encoder, _tokenizer, _preset];

    protected Option<string?> Data { get; }

    protected TrainingOptions Training { get; } = new();

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        Train(parse, parse.GetValue(_changes)!, cancellation);
        return Task.FromResult(ExitCode.Ok);
    }

    /// <summary>Opens, says what holds, and trains.</summary>
    /// <param name="parse">The command line.</param> <param name="changes">Of the configuration.</param>
    /// <param name="cancellation">Ctrl-C.</param>
    /// <param name="limit">Ends the run after this time, if the command line says nothing else.</param>
    protected void Train(ParseResult parse, IEnumerable<string> changes, CancellationToken cancellation, TimeSpan? limit = null)
    {
        string? model = parse.GetValue(_model), config = parse.GetValue(_config);
        if (model is not null)
            model = ModelLocator.Locate(model);
        string[] parts =
        [
            .. from part in new[] { (_language, "model_config.lang_encoder_path"), (_encoder, "clap_config.checkpoint"), (_tokenizer, "model_config.tokenizer_path") }
               where Options.Contains(part.Item1) && parse.GetValue(part.Item1) is not null
               select $"{part.Item2}={parse.GetValue(part.Item1)}",
            .. Options.Contains(_preset) && parse.GetValue(_preset) is { } preset ? [$"model_config.preset={PresetOption.Find(preset).Name}"] : Array.Empty<string>(),
        ];
        string[] seed = Training.SeedOf(parse) is { } given ? [$"train_config.seed={given}"] : [];
        using var training = LanguageTraining.Open(new LanguageTrainingRequest
        {
            Stage = Name,
            ConfigPath = config,
            Changes = [.. seed, .. parts, .. changes],
            ModelFolder = model,
            FallbackModelFolder = ModelLocator.Find(null),
            DataFolder = parse.GetValue(Data),
            Device = parse.GetValue(_device)!,
        });
        foreach (string note in training.Notes)
            Terminal.Note(note);
        Terminal.Tell(training.Resolved.TrimEnd());
        var run = Training.Read(parse, training.Defaults(Training.FolderOf(parse)) with { TimeBudget = limit });
        Terminal.Note(TrainingDisplay.Summary(TrainingDisplay.Watch(watcher => training.Run(run, [watcher], cancellation)), run.Folder));
    }

    protected IReadOnlyList<string> Changes(ParseResult parse) => parse.GetValue(_changes)!;
}
