using System.CommandLine;
using System.Globalization;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Training;

namespace FlamingoSharp.Cli.Verbs.Train;

/// <summary><c>flamingo train language</c>: the whole model learns to caption and to answer.</summary>
internal sealed class TrainLanguageVerb : Verb
{
    private readonly Option<string> _data = new("--data") { Description = "Folder of catalogue.jsonl, synthesis.jsonl and qa.jsonl.", HelpName = "DIR", Required = true };

    private readonly Option<string> _mels = new("--mels") { Description = "Folder of the spectrograms that 'train mels' made.", HelpName = "DIR", Required = true };

    private readonly Option<string> _encoder = new("--encoder") { Description = "The encoder that 'train encoder' made.", HelpName = "FILE", Required = true };

    private readonly Option<string> _out = new("--out", "-o") { Description = "Folder that holds tokenizer.json and receives config.json and model.safetensors, anew at each validation.", HelpName = "DIR", Required = true };

    private readonly Option<int> _steps = new("--steps") { Description = "Optimiser steps.", HelpName = "N", DefaultValueFactory = _ => 5000 };

    private readonly Option<double?> _minutes = new("--minutes") { Description = "End after this time, with a whole, shorter schedule.", HelpName = "N" };

    private readonly Option<double> _encoderRate = new("--encoder-rate") { Description = "The encoder's share of the learning rate.", HelpName = "SHARE", DefaultValueFactory = _ => 0.3 };

    private readonly Option<double> _compositions = new("--compositions") { Description = "Share of texts about new compositions of the sounds.", HelpName = "SHARE", DefaultValueFactory = _ => 0.2 };

    private readonly Option<int> _batch = new("--batch") { Description = "Texts in a step.", HelpName = "N", DefaultValueFactory = _ => 32 };

    private readonly Option<string?> _start = new("--start-from") { Description = "Model folder whose weights training starts from.", HelpName = "DIR" };

    private readonly Option<long> _seed = new("--seed") { Description = "Of first values, sampling and variation.", HelpName = "N", DefaultValueFactory = _ => 42 };

    private readonly Option<double> _rate = new("--learning-rate") { Description = "After warm-up.", HelpName = "RATE", DefaultValueFactory = _ => 1e-3 };

    private readonly Option<int?> _threads = ModelOptions.Threads();

    public TrainLanguageVerb()
        : base("language", "Train the language model to caption and answer; the second stage of flamingo-mini.",
            "flamingo train language --data data --mels work/mels --encoder work/encoder.safetensors --out models/flamingo-mini --minutes 20")
    {
        foreach (Option option in new Option[] { _data, _mels, _encoder, _out, _steps, _minutes, _encoderRate, _compositions, _batch, _start, _seed, _rate, _threads })
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
            EncoderRate = parse.GetValue(_encoderRate),
            CompositionShare = parse.GetValue(_compositions),
            BatchSize = parse.GetValue(_batch),
            StartFrom = parse.GetValue(_start),
            Seed = parse.GetValue(_seed),
            TimeBudget = parse.GetValue(_minutes) is { } minutes ? TimeSpan.FromMinutes(minutes) : null,
        };
        training = training with { Optimization = training.Optimization with { TotalSteps = parse.GetValue(_steps), LearningRate = parse.GetValue(_rate) } };
        training.Run(p => Terminal.Say(Line(p)), cancellation);
        return Task.FromResult(ExitCode.Ok);
    }

    private static string Line(MiniProgress p) => string.Create(CultureInfo.InvariantCulture,
        $"step {p.Step}  loss {p.Loss:0.0000}  {p.TextsPerSecond:0} texts/s{(p.ValidationLoss is { } v ? $"  validation loss {v:0.0000}" : "")}");
}
