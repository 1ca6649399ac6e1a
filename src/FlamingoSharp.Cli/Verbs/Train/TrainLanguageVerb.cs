using System.CommandLine;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Training;
using FlamingoSharp.Training.Sounds;

namespace FlamingoSharp.Cli.Verbs.Train;

/// <summary><c>flamingo train language</c>: the whole model learns to caption and to answer.</summary>
internal sealed class TrainLanguageVerb : Verb
{
    private static readonly MiniTaskOptions s_default = new();

    private static readonly MiniMixture s_mixture = new();

    private readonly Option<string> _data = new("--data") { Description = "Folder of catalogue.jsonl, synthesis.jsonl and qa.jsonl.", HelpName = "DIR", Required = true };

    private readonly Option<string> _mels = new("--mels") { Description = "Folder of the spectrograms that 'train mels' made.", HelpName = "DIR", Required = true };

    private readonly Option<string> _encoder = new("--encoder") { Description = "The encoder that 'train encoder' made.", HelpName = "FILE", Required = true };

    private readonly Option<double> _encoderRate = ShareOption.Create("--encoder-rate", "The encoder's share of the learning rate.", s_default.EncoderRate);

    private readonly Option<double> _compositions = ShareOption.Create("--compositions", "Share of texts about new compositions of the sounds.", s_mixture.Compositions);

    private readonly Option<double> _textures = ShareOption.Create("--textures", "Share of texts about textures put together from their events: rolls, applause, typing.", s_mixture.Textures);

    private readonly Option<double> _shots = ShareOption.Create("--shots", "Share of questions after one to eight examples.", s_mixture.Shots);

    private readonly Option<double> _dialogues = ShareOption.Create("--dialogues", "Share of dialogues of two or three turns.", s_mixture.Dialogues);

    private readonly Option<double> _drowned = ShareOption.Create("--drowned", "Share of the questions with choices whose sound is drowned in noise.", s_mixture.Drowned);

    private readonly Option<double> _unvaried = ShareOption.Create("--unvaried", "Share of the sounds that are heard as they are.", s_mixture.Unvaried);

    private readonly Option<double> _exponent = new("--concept-exponent")
    {
        Description = "A concept of n sounds is drawn in proportion to n to this power: 1 as often as there are sounds of it, 0 all concepts equally.",
        HelpName = "POWER",
        DefaultValueFactory = _ => new SamplingOptions().ConceptExponent,
    };

    private readonly Option<double> _tagWeight = new("--tag-weight") { Description = "Weight of naming what is heard, from the encoder alone, beside the texts.", HelpName = "WEIGHT", DefaultValueFactory = _ => s_default.TagWeight };

    private readonly SoundChoiceOptions _choice = new();

    private readonly Option<int> _batch = new("--batch") { Description = "Texts in a step.", HelpName = "N", DefaultValueFactory = _ => s_default.BatchSize, Validators = { r => r.AtLeast(1) } };

    private readonly Option<string?> _start = new("--start-from") { Description = "Model folder whose weights training starts from.", HelpName = "DIR" };

    private readonly Option<string?> _language = new("--language-model") { Description = "Model folder whose language model is taken over, without what it hears with.", HelpName = "DIR" };

    private readonly TrainingOptions _training = new();

    public TrainLanguageVerb()
        : base("language", "Train the language model to caption and answer; the second stage of flamingo-mini.",
            "flamingo train language --data data --mels work/mels --encoder work/encoder/encoder.safetensors --out models/flamingo-mini --minutes 20")
    {
        foreach (Option option in new Option[] { _data, _mels, _encoder, _encoderRate, _compositions, _textures, _shots, _dialogues, _drowned, _unvaried, _exponent, _tagWeight, _batch, _start, _language })
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
            Texts = MiniTraining.DefaultTexts with { Sampling = new() { ConceptExponent = parse.GetValue(_exponent) } },
            Mixture = new()
            {
                Compositions = parse.GetValue(_compositions),
                Textures = parse.GetValue(_textures),
                Shots = parse.GetValue(_shots),
                Dialogues = parse.GetValue(_dialogues),
                Drowned = parse.GetValue(_drowned),
                Unvaried = parse.GetValue(_unvaried),
            },
            Learning = s_default with
            {
                BatchSize = parse.GetValue(_batch),
                EncoderRate = parse.GetValue(_encoderRate),
                TagWeight = parse.GetValue(_tagWeight),
                Seed = run.Seed,
            },
            StartFrom = parse.GetValue(_start),
            LanguageFrom = parse.GetValue(_language),
        };
        Terminal.Note(TrainingDisplay.Summary(TrainingDisplay.Watch(watcher => training.Run([watcher], cancellation)), run.Folder));
        return Task.FromResult(ExitCode.Ok);
    }
}
