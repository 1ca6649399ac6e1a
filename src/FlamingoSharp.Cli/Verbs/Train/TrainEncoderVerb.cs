using System.CommandLine;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Training;

namespace FlamingoSharp.Cli.Verbs.Train;

/// <summary><c>flamingo train encoder</c>: the audio encoder learns to tag sounds.</summary>
internal sealed class TrainEncoderVerb : Verb
{
    private static readonly TaggingOptions s_default = new();

    private readonly Option<string> _data = new("--data") { Description = "Folder of catalogue.jsonl and synthesis.jsonl.", HelpName = "DIR", Required = true };

    private readonly Option<string> _mels = new("--mels") { Description = "Folder of the spectrograms that 'train mels' made.", HelpName = "DIR", Required = true };

    private readonly Option<int> _batch = new("--batch") { Description = "Windows in a step.", HelpName = "N", DefaultValueFactory = _ => s_default.BatchSize };

    private readonly Option<string?> _start = new("--start-from") { Description = "Model folder or earlier encoder file that training starts from.", HelpName = "PATH" };

    private readonly Option<double> _mix = ShareOption.Create("--mix", "Chance that two sounds are heard together.", new MelAugmentationOptions().MixChance);

    private readonly SoundChoiceOptions _choice = new();

    private readonly TrainingOptions _training = new();

    public TrainEncoderVerb()
        : base("encoder", "Train the audio encoder to tag sounds; the first stage of flamingo-mini.",
            "flamingo train encoder --data data --mels work/mels --out work/encoder --minutes 60")
    {
        foreach (Option option in new Option[] { _data, _mels, _batch, _start, _mix })
            Add(option);
        _choice.AddTo(this);
        _training.AddTo(this);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var run = _training.Read(parse, EncoderTraining.DefaultTraining(_training.FolderOf(parse)));
        var training = new EncoderTraining
        {
            CatalogueFolder = parse.GetValue(_data)!,
            MelFolder = parse.GetValue(_mels)!,
            Training = run,
            Choice = _choice.Read(parse),
            StartFrom = parse.GetValue(_start),
            Augmentation = new() { MixChance = parse.GetValue(_mix) },
            Tagging = s_default with { BatchSize = parse.GetValue(_batch), Seed = run.Seed },
        };
        Terminal.Note(TrainingDisplay.Summary(TrainingDisplay.Watch(watcher => training.Run([watcher], cancellation)), run.Folder));
        return Task.FromResult(ExitCode.Ok);
    }
}
