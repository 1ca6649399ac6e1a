using System.CommandLine;
using System.Globalization;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Training;

namespace FlamingoSharp.Cli.Verbs.Train;

/// <summary><c>flamingo train language</c>: everything but the encoder learns to caption and to answer.</summary>
internal sealed class TrainLanguageVerb : Verb
{
    private readonly Option<string> _data = new("--data") { Description = "Folder of catalogue.jsonl, synthesis.jsonl and qa.jsonl.", HelpName = "DIR", Required = true };

    private readonly Option<string> _mels = new("--mels") { Description = "Folder of the spectrograms that 'train mels' made.", HelpName = "DIR", Required = true };

    private readonly Option<string> _encoder = new("--encoder") { Description = "The encoder that 'train encoder' made.", HelpName = "FILE", Required = true };

    private readonly Option<string> _out = new("--out", "-o") { Description = "Folder that holds tokenizer.json and receives config.json and model.safetensors, anew at each validation.", HelpName = "DIR", Required = true };

    private readonly Option<int> _steps = new("--steps") { Description = "Optimiser steps.", HelpName = "N", DefaultValueFactory = _ => 5000 };

    private readonly Option<double?> _minutes = new("--minutes") { Description = "End after this time, with a whole, shorter schedule.", HelpName = "N" };

    private readonly Option<int> _views = new("--views") { Description = "Copies of each sound: itself and varied ones.", HelpName = "N", DefaultValueFactory = _ => 4 };

    private readonly Option<int?> _threads = ModelOptions.Threads();

    public TrainLanguageVerb()
        : base("language", "Train the language model to caption and answer; the second stage of flamingo-mini.",
            "flamingo train language --data data --mels work/mels --encoder work/encoder.safetensors --out models/flamingo-mini --minutes 20")
    {
        foreach (Option option in new Option[] { _data, _mels, _encoder, _out, _steps, _minutes, _views, _threads })
            Add(option);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        ModelOptions.Use(parse.GetValue(_threads));
        var training = new MiniTraining
        {
            CatalogueFolder = parse.GetValue(_data)!,
            MelFolder = parse.GetValue(_mels)!,
            EncoderFile = parse.GetValue(_encoder)!,
            ModelFolder = parse.GetValue(_out)!,
            Views = parse.GetValue(_views),
            TimeBudget = parse.GetValue(_minutes) is { } minutes ? TimeSpan.FromMinutes(minutes) : null,
        };
        training = training with { Optimization = training.Optimization with { TotalSteps = parse.GetValue(_steps) } };
        training.Run(p => Terminal.Say(Line(p)), cancellation);
        return Task.FromResult(ExitCode.Ok);
    }

    private static string Line(MiniProgress p) => p.Phase == MiniProgress.Encoding
        ? string.Create(CultureInfo.InvariantCulture, $"encoding  {p.Step} %")
        : string.Create(CultureInfo.InvariantCulture,
            $"step {p.Step}  loss {p.Loss:0.0000}  {p.TextsPerSecond:0} texts/s{(p.ValidationLoss is { } v ? $"  validation loss {v:0.0000}" : "")}");
}
