using System.CommandLine;
using System.Globalization;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Training;

namespace FlamingoSharp.Cli.Verbs.Train;

/// <summary><c>flamingo train encoder</c>: the audio encoder learns to tag sounds.</summary>
internal sealed class TrainEncoderVerb : Verb
{
    private static readonly TaggingOptions s_default = new();

    private readonly Option<string> _data = new("--data") { Description = "Folder of catalogue.jsonl and synthesis.jsonl.", HelpName = "DIR", Required = true };

    private readonly Option<string> _mels = new("--mels") { Description = "Folder of the spectrograms that 'train mels' made.", HelpName = "DIR", Required = true };

    private readonly Option<string> _out = new("--out", "-o") { Description = "The .safetensors file to write, anew at each validation.", HelpName = "FILE", Required = true };

    private readonly Option<int> _steps = new("--steps") { Description = "Optimiser steps.", HelpName = "N", DefaultValueFactory = _ => s_default.Steps };

    private readonly Option<double?> _minutes = new("--minutes") { Description = "End after this time, with a whole, shorter schedule.", HelpName = "N" };

    private readonly Option<int> _batch = new("--batch") { Description = "Windows in a step.", HelpName = "N", DefaultValueFactory = _ => s_default.BatchSize };

    private readonly Option<double> _rate = new("--learning-rate") { Description = "After warm-up.", HelpName = "RATE", DefaultValueFactory = _ => s_default.LearningRate };

    private readonly Option<string?> _start = new("--start-from") { Description = "Model folder or earlier encoder file that training starts from.", HelpName = "PATH" };

    private readonly Option<double> _mix = new("--mix") { Description = "Chance that two sounds are heard together.", HelpName = "SHARE", DefaultValueFactory = _ => new MelAugmentationOptions().MixChance };

    private readonly Option<long> _seed = new("--seed") { Description = "Of first values, sampling and augmentation.", HelpName = "N", DefaultValueFactory = _ => s_default.Seed };

    private readonly Option<int?> _threads = ModelOptions.Threads();

    public TrainEncoderVerb()
        : base("encoder", "Train the audio encoder to tag sounds; the first stage of flamingo-mini.",
            "flamingo train encoder --data data --mels work/mels --out work/encoder.safetensors --minutes 60")
    {
        foreach (Option option in new Option[] { _data, _mels, _out, _steps, _minutes, _batch, _rate, _start, _mix, _seed, _threads })
            Add(option);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        ModelOptions.Use(parse.GetValue(_threads));
        var training = new EncoderTraining
        {
            CatalogueFolder = parse.GetValue(_data)!,
            MelFolder = parse.GetValue(_mels)!,
            OutputFile = parse.GetValue(_out)!,
            StartFrom = parse.GetValue(_start),
            Augmentation = new() { MixChance = parse.GetValue(_mix) },
            Tagging = s_default with
            {
                Steps = parse.GetValue(_steps),
                TimeBudget = parse.GetValue(_minutes) is { } minutes ? TimeSpan.FromMinutes(minutes) : null,
                BatchSize = parse.GetValue(_batch),
                LearningRate = parse.GetValue(_rate),
                Seed = parse.GetValue(_seed),
            },
        };
        training.Run(p => Terminal.Say(string.Create(CultureInfo.InvariantCulture,
            $"step {p.Step}  loss {p.Loss:0.0000}  {p.SoundsPerSecond:0} sounds/s{(p.ConceptAccuracy is { } a ? $"  concepts right {a:P1}" : "")}")), cancellation);
        return Task.FromResult(ExitCode.Ok);
    }
}
