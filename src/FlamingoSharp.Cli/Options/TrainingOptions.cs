using System.CommandLine;
using System.CommandLine.Parsing;
using FlamingoSharp.Training;

namespace FlamingoSharp.Cli.Options;

/// <summary>The options that every stage of <c>flamingo train</c> has.</summary>
internal sealed class TrainingOptions
{
    private readonly Option<int?> _steps = new("--steps") { Description = "Optimiser steps of the run.", HelpName = "N", Validators = { r => r.AtLeast(1) } };

    private readonly Option<double?> _epochs = new("--epochs") { Description = "Times that every sample is learned from, in place of --steps.", HelpName = "N" };

    private readonly Option<double?> _minutes = new("--minutes") { Description = "End after this time, with a whole, shorter schedule.", HelpName = "N" };

    private readonly Option<string> _out = new("--out", "-o") { Description = "Folder of the run: model, log, checkpoints, report.", HelpName = "DIR", Required = true };

    private readonly Option<bool> _resume = new("--resume") { Description = "Go on from the newest checkpoint in --out, if there is one." };

    private readonly Option<long?> _seed = new("--seed") { Description = "Of everything that is drawn at random.", HelpName = "N" };

    private readonly Option<double?> _rate = new("--learning-rate") { Description = "After warm-up.", HelpName = "RATE" };

    private readonly Option<int?> _accumulation = new("--accumulation") { Description = "Micro-batches whose gradients make one step.", HelpName = "N", Validators = { r => r.AtLeast(1) } };

    private readonly Option<int?> _validate = new("--validate-every") { Description = "Steps between validations.", HelpName = "N", Validators = { r => r.AtLeast(1) } };

    private readonly Option<int?> _patience = new("--patience") { Description = "End after this many validations without improvement.", HelpName = "N", Validators = { r => r.AtLeast(1) } };

    private readonly Option<int?> _checkpoint = new("--checkpoint-every") { Description = "Steps between checkpoints.", HelpName = "N", Validators = { r => r.AtLeast(1) } };

    private readonly Option<FaultPolicy?> _nonFinite = Policy("--non-finite", "A loss that is no finite number: stop, or skip its micro-batch and count it.");

    private readonly Option<FaultPolicy?> _unreadable = Policy("--unreadable", "A sound that is gone or cannot be read: stop, or skip its micro-batch and count it.");

    private readonly Option<int?> _threads = ModelOptions.Threads();

    private readonly Option<int?> _prepare = new("--data-threads") { Description = "Threads that lay micro-batches out ahead.", HelpName = "N", Validators = { r => r.AtLeast(1) } };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[]
        {
            _out, _steps, _epochs, _minutes, _resume, _seed, _rate, _accumulation, _validate, _patience, _checkpoint, _nonFinite, _unreadable, _threads, _prepare,
        })
        {
            command.Add(option);
        }
    }

    /// <summary>The folder of the run.</summary>
    public string FolderOf(ParseResult parse) => parse.GetValue(_out)!;

    /// <summary>The seed, if one is given.</summary>
    public long? SeedOf(ParseResult parse) => parse.GetValue(_seed);

    /// <summary>A stage's own options with those of the command line over them; also sets the number of torch's threads.</summary>
    public TrainingRunOptions Read(ParseResult parse, TrainingRunOptions defaults)
    {
        ModelOptions.Use(parse.GetValue(_threads));
        var optimization = defaults.Optimization with
        {
            LearningRate = parse.GetValue(_rate) ?? defaults.Optimization.LearningRate,
            Accumulation = parse.GetValue(_accumulation) ?? defaults.Optimization.Accumulation,
            TotalSteps = parse.GetValue(_steps) ?? defaults.Optimization.TotalSteps,
        };
        return defaults with
        {
            Folder = FolderOf(parse),
            Optimization = optimization,
            Epochs = parse.GetValue(_epochs) ?? (parse.GetValue(_steps) is null ? defaults.Epochs : null),
            TimeBudget = parse.GetValue(_minutes) is { } minutes ? TimeSpan.FromMinutes(minutes) : defaults.TimeBudget,
            Resume = parse.GetValue(_resume),
            Threads = ModelOptions.ThreadsAskedFor(parse.GetValue(_threads)),
            Seed = parse.GetValue(_seed) ?? defaults.Seed,
            ValidateEvery = parse.GetValue(_validate) ?? defaults.ValidateEvery,
            Patience = parse.GetValue(_patience) ?? defaults.Patience,
            CheckpointEvery = parse.GetValue(_checkpoint) ?? defaults.CheckpointEvery,
            NonFinite = parse.GetValue(_nonFinite) ?? defaults.NonFinite,
            Unreadable = parse.GetValue(_unreadable) ?? defaults.Unreadable,
            PrepareThreads = parse.GetValue(_prepare) ?? defaults.PrepareThreads,
        };
    }

    private static Option<FaultPolicy?> Policy(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "POLICY",
        CustomParser = result => Parse(result),
    };

    private static FaultPolicy? Parse(ArgumentResult result)
    {
        switch (result.Tokens[0].Value)
        {
            case "stop":
                return FaultPolicy.Stop;
            case "skip":
                return FaultPolicy.Skip;
            default:
                result.AddError($"There is no policy '{result.Tokens[0].Value}'. Use stop or skip.");
                return null;
        }
    }
}
