using System.CommandLine;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Training;

namespace FlamingoSharp.Cli.Verbs.Train;

/// <summary><c>flamingo train clap</c>: a sound encoder and a text encoder learn what belongs together.</summary>
internal sealed class TrainClapVerb : Verb
{
    private const double KnowingRateScale = 0.3; // of an encoder that is not to forget what it knows

    private static readonly ClapTaskOptions s_default = new();

    private readonly Option<string> _data = new("--data") { Description = "Folder of catalogue.jsonl and synthesis.jsonl.", HelpName = "DIR", Required = true };

    private readonly Option<string> _mels = new("--mels") { Description = "Folder of the spectrograms that 'train mels' made.", HelpName = "DIR", Required = true };

    private readonly Option<string?> _tokenizer = new("--tokenizer") { Description = "Folder of the tokenizer. Default: that of flamingo-mini.", HelpName = "DIR" };

    private readonly Option<string?> _start = new("--start-from")
    {
        Description = "Encoder file, or model folder, whose sound encoder training starts from; or folder of a CLAP model, for both its towers.",
        HelpName = "PATH",
    };

    private readonly Option<int> _batch = new("--batch")
    {
        Description = "Pairs of sound and text in a micro-batch; each has the others as its negatives.",
        HelpName = "N",
        DefaultValueFactory = _ => s_default.BatchSize,
        Validators = { r => r.AtLeast(2) },
    };

    private readonly Option<double?> _encoderRate = new("--encoder-rate")
    {
        Description = "Factor on the learning rate of the sound encoder. Default: 0.3 with --start-from, else 1.",
        HelpName = "FACTOR",
    };

    private readonly TrainingOptions _training = new();

    public TrainClapVerb()
        : base("clap", "Train a CLAP model: sounds and texts become vectors of one space. It gives embeddings, zero-shot classification and search.",
            "flamingo train clap --data data --mels work/mels --start-from work/encoder/encoder.safetensors --out models/clap-mini --minutes 60")
    {
        foreach (Option option in new Option[] { _data, _mels, _tokenizer, _start, _batch, _encoderRate })
            Add(option);
        _training.AddTo(this);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var run = _training.Read(parse, ClapTraining.DefaultTraining(_training.FolderOf(parse)));
        string? start = parse.GetValue(_start);
        var training = new ClapTraining
        {
            CatalogueFolder = parse.GetValue(_data)!,
            MelFolder = parse.GetValue(_mels)!,
            TokenizerFolder = parse.GetValue(_tokenizer) ?? ModelLocator.Locate(null),
            StartFrom = start,
            Training = run,
            Task = s_default with
            {
                BatchSize = parse.GetValue(_batch),
                EncoderRateScale = parse.GetValue(_encoderRate) ?? (start is null ? 1 : KnowingRateScale),
                Seed = run.Seed,
            },
        };
        Terminal.Note(TrainingDisplay.Summary(TrainingDisplay.Watch(watcher => training.Run([watcher], cancellation)), run.Folder));
        return Task.FromResult(ExitCode.Ok);
    }
}
