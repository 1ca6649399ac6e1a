using System.CommandLine;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Embeddings;
using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using FlamingoSharp.Training;
using FlamingoSharp.Training.DataSets;

namespace FlamingoSharp.Cli.Verbs.Train;

/// <summary><c>flamingo train clap</c>: a sound encoder and a text encoder learn what belongs together.</summary>
internal sealed class TrainClapVerb : Verb
{
    private const double KnowingRateScale = 0.3; // of an encoder that is not to forget what it knows

    private static readonly ClapTaskOptions s_default = new();

    private static readonly Dictionary<string, ClapConfig> s_presets = new() { [ClapConfig.Mini.Name] = ClapConfig.Mini, [ClapConfig.Laion.Name] = ClapConfig.Laion };

    private readonly Option<string> _data = new("--data")
    {
        Description = "Data set made by 'flamingo data build', whose captions, tags and classes are learned; or, with --mels, folder of catalogue.jsonl and synthesis.jsonl.",
        HelpName = "SET",
        Required = true,
    };

    private readonly Option<string?> _mels = new("--mels") { Description = "Folder of the spectrograms that 'train mels' made of a catalogue.", HelpName = "DIR" };

    private readonly Option<string?> _tokenizer = new("--tokenizer")
    {
        Description = "Folder of the tokenizer. Default: that of the CLAP model in --start-from, else that of flamingo-mini.",
        HelpName = "DIR",
    };

    private readonly Option<string?> _preset = PresetOption.Create([.. s_presets.Keys, .. FlamingoConfig.Presets.Keys])!;

    private readonly Option<string?> _config = new("--config")
    {
        Description = "config.json of a CLAP model, or of an Audio Flamingo model, whose encoder is trained. Default: the form of --start-from, else clap-mini.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _cache = new("--feature-cache")
    {
        Description = "Folder that keeps spectrograms of a data set's sounds, or none. Default: one in the user's cache.",
        HelpName = "DIR",
    };

    private readonly Option<string?> _start = new("--start-from")
    {
        Description = "Encoder file, or model folder, whose sound encoder training starts from; or folder or published file of a CLAP model, for both its towers.",
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
            "flamingo data build my-sounds --out my-set && flamingo train clap --data my-set --start-from models/clap-mini --out my-clap",
            "flamingo train clap --data sets/audiocaps --preset af2-3b --batch 16 --accumulation 4 --out runs/clap",
            "flamingo train clap --data data --mels work/mels --start-from work/encoder/encoder.safetensors --out models/clap-mini --minutes 60")
    {
        foreach (Option option in new Option[] { _data, _mels, _preset, _config, _tokenizer, _start, _cache, _batch, _encoderRate })
            Add(option);
        _training.AddTo(this);
        Validators.Add(command =>
        {
            if (command.GetResult(_preset) is not null && command.GetResult(_config) is not null)
                command.AddError("Give the model's form by --preset or by --config, not by both.");
        });
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        string data = parse.GetValue(_data)!, folder = _training.FolderOf(parse);
        string? start = parse.GetValue(_start), mels = parse.GetValue(_mels);
        int batch = parse.GetValue(_batch);
        if (mels is null && !File.Exists(Path.Combine(data, DataSet.FileName)) && Directory.Exists(data))
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{data}' is no data set: it has no {DataSet.FileName}; make one with 'flamingo data build', or give the spectrograms of a catalogue by --mels.");
        var run = _training.Read(parse, mels is null ? ClapTraining.DefaultTraining(folder, data, batch) : ClapTraining.DefaultTraining(folder));
        var training = new ClapTraining
        {
            SetFolder = mels is null ? data : null,
            CatalogueFolder = mels is null ? null : data,
            MelFolder = mels,
            TokenizerFolder = parse.GetValue(_tokenizer) ?? (start is not null && File.Exists(Path.Combine(start, "tokenizer.json")) ? start : ModelLocator.Locate(null)),
            StartFrom = start,
            Config = Form(parse),
            Training = run,
            CacheFolder = parse.GetValue(_cache) switch
            {
                "none" => null,
                null => Path.Combine(UserFolders.Cache, "features"),
                var cache => cache,
            },
            Task = s_default with
            {
                BatchSize = batch,
                EncoderRateScale = parse.GetValue(_encoderRate) ?? (start is null ? 1 : KnowingRateScale),
                Seed = run.Seed,
            },
        };
        Terminal.Note(TrainingDisplay.Summary(TrainingDisplay.Watch(watcher => training.Run([watcher], cancellation)), run.Folder));
        return Task.FromResult(ExitCode.Ok);
    }

    private ClapConfig? Form(ParseResult parse)
    {
        if (parse.GetValue(_config) is { } file)
            return File.Exists(file) && !ClapConfig.Describes(file) ? ClapConfig.For(FlamingoConfig.Load(file)) : ClapConfig.Load(file);
        return parse.GetValue(_preset) is not { } name ? null
            : s_presets.GetValueOrDefault(name) ?? ClapConfig.For(PresetOption.Find(name));
    }
}
