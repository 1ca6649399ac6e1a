using System.CommandLine;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Training;

namespace FlamingoSharp.Cli.Verbs.Train;

/// <summary><c>flamingo train language</c>: the whole model learns to caption and to answer.</summary>
internal sealed class TrainLanguageVerb : Verb
{
    private readonly Option<string> _data = new("--data") { Description = "Folder of catalogue.jsonl, synthesis.jsonl and qa.jsonl.", HelpName = "DIR", Required = true };

    private readonly Option<string> _mels = new("--mels") { Description = "Folder of the spectrograms that 'train mels' made.", HelpName = "DIR", Required = true };

    private readonly Option<string> _encoder = new("--encoder") { Description = "The encoder that 'train encoder' made.", HelpName = "FILE", Required = true };

    private readonly Option<double> _encoderRate = new("--encoder-rate") { Description = "The encoder's share of the learning rate.", HelpName = "SHARE", DefaultValueFactory = _ => 0.3 };

    private readonly Option<double> _compositions = new("--compositions") { Description = "Share of texts about new compositions of the sounds.", HelpName = "SHARE", DefaultValueFactory = _ => new MiniMixture().Compositions };

    private readonly Option<double> _textures = new("--textures") { Description = "Share of texts about textures put together from their events: rolls, applause, typing.", HelpName = "SHARE", DefaultValueFactory = _ => new MiniMixture().Textures };

    private readonly Option<double> _shots = new("--shots") { Description = "Share of questions after one to eight examples.", HelpName = "SHARE", DefaultValueFactory = _ => new MiniMixture().Shots };

    private readonly Option<double> _dialogues = new("--dialogues") { Description = "Share of dialogues of two or three turns.", HelpName = "SHARE", DefaultValueFactory = _ => new MiniMixture().Dialogues };

    private readonly Option<double> _drowned = new("--drowned") { Description = "Share of the questions with choices whose sound is drowned in noise.", HelpName = "SHARE", DefaultValueFactory = _ => new MiniMixture().Drowned };

    private readonly Option<double> _unvaried = new("--unvaried") { Description = "Share of the sounds that are heard as they are.", HelpName = "SHARE", DefaultValueFactory = _ => 0.1 };

    private readonly Option<double> _tagWeight = new("--tag-weight") { Description = "Weight of naming what is heard, from the encoder alone, beside the texts.", HelpName = "WEIGHT", DefaultValueFactory = _ => 0.3 };

    private readonly SoundChoiceOptions _choice = new();

    private readonly Option<int> _batch = new("--batch") { Description = "Texts in a step.", HelpName = "N", DefaultValueFactory = _ => 32 };

    private readonly Option<string?> _start = new("--start-from") { Description = "Model folder whose weights training starts from.", HelpName = "DIR" };

    private readonly Option<string?> _language = new("--language-model") { Description = "Model folder whose language model is taken over, without what it hears with.", HelpName = "DIR" };

    private readonly TrainingOptions _training = new();

    public TrainLanguageVerb()
        : base("language", "Train the language model to caption and answer; the second stage of flamingo-mini.",
            "flamingo train language --data data --mels work/mels --encoder work/encoder/encoder.safetensors --out models/flamingo-mini --minutes 20")
    {
        foreach (Option option in new Option[] { _data, _mels, _encoder, _encoderRate, _compositions, _textures, _shots, _dialogues, _drowned, _unvaried, _tagWeight, _batch, _start, _language })
            Add(option);
        _choice.AddTo(this);
        _training.AddTo(this);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var run = _training.Read(parse, MiniTraining.DefaultTraining(_training.FolderOf(parse)));
        var training = new MiniTraining
        {
            CatalogueFolder = parse.GetValue(_data)!,
            MelFolder = parse.GetValue(_mels)!,
            EncoderFile = parse.GetValue(_encoder)!,
            Training = run,
            Choice = _choice.Read(parse),
            Unvaried = parse.GetValue(_unvaried),
            TagWeight = parse.GetValue(_tagWeight),
            EncoderRate = parse.GetValue(_encoderRate),
            Mixture = new() { Compositions = parse.GetValue(_compositions), Textures = parse.GetValue(_textures), Shots = parse.GetValue(_shots), Dialogues = parse.GetValue(_dialogues), Drowned = parse.GetValue(_drowned) },
            BatchSize = parse.GetValue(_batch),
            StartFrom = parse.GetValue(_start),
            LanguageFrom = parse.GetValue(_language),
            Seed = run.Seed,
        };
        Terminal.Note(TrainingDisplay.Summary(TrainingDisplay.Watch(watcher => training.Run([watcher], cancellation)), run.Folder));
        return Task.FromResult(ExitCode.Ok);
    }
}
