using System.CommandLine;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Models;
using FlamingoSharp.Text;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Cli.Verbs;

/// <summary><c>flamingo classify</c>: which of some labels fits.</summary>
internal sealed class ClassifyVerb : Verb
{
    private readonly Argument<string[]> _files = new("FILE") { Description = "Sound files of any format; * ? and ** match several.", Arity = ArgumentArity.OneOrMore };

    private readonly Option<string?> _labels = new("--labels", "-l") { Description = "Labels with commas between. Default: those that the model was fine-tuned on.", HelpName = "A,B,C" };

    private readonly Option<string?> _labelsFile = new("--labels-file") { Description = "A text file with one label a line.", HelpName = "FILE" };

    private readonly Option<bool> _multi = new("--multi") { Description = "Any number of the labels may fit." };

    private readonly Option<bool> _zeroShot = new("--zero-shot")
    {
        Description = "Let a CLAP model choose, by the likeness of sound and label; it gives probabilities. --model then names a CLAP model.",
    };

    private readonly Option<string?> _template = new("--template") { Description = "With --zero-shot: the text of a label, {0} in its place.", HelpName = "TEXT" };

    private readonly Option<string?> _tokenizer = ClapOptions.Tokenizer();

    private readonly Option<bool> _think = AnswerRun.Think();

    private readonly ChoosingOptions _choosing = new();

    private readonly AnswerRun _run = new(shots: true);

    public ClassifyVerb()
        : base("classify", "Choose the label that fits each sound.",
            "flamingo classify samples/rain.wav --labels rain,thunder,\"car horn\"",
            "flamingo classify \"samples/*.wav\" --labels-file labels.txt --json",
            "flamingo classify samples/bell.wav --labels bell,rain,dog --show-scores",
            "flamingo classify new.wav --shots 4 --index birds.db",
            "flamingo classify street.wav --labels \"car horn,siren,speech\" --multi",
            "flamingo classify clip.wav --labels dog,rain,bell --zero-shot")
    {
        Add(_files);
        Add(_labels);
        Add(_labelsFile);
        Add(_multi);
        Add(_zeroShot);
        Add(_template);
        Add(_tokenizer);
        Add(_think);
        _choosing.AddTo(this);
        Validators.Add(command =>
        {
            bool list = command.GetResult(_labels) is not null, file = command.GetResult(_labelsFile) is not null;
            bool zeroShot = command.GetValue(_zeroShot);
            if (list ? file : !file && zeroShot)
                command.AddError("Give the labels by --labels or by --labels-file.");
            if (zeroShot && _run.HasExamples(command))
                command.AddError("--zero-shot takes no examples; leave --index and --shots-from out.");
            if (zeroShot && (command.GetValue(_multi) || command.GetValue(_think)))
                command.AddError("--zero-shot chooses one label and does not reason; leave --multi and --think out.");
            if (!zeroShot && (command.GetValue(_template) ?? command.GetValue(_tokenizer)) is not null)
                command.AddError("--template and --tokenizer belong to --zero-shot; give that too.");
        });
        _run.AddTo(this);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var given = Labels(parse);
        if (parse.GetValue(_zeroShot))
            return Task.FromResult(ZeroShotRun.Run(_run.Options, parse, parse.GetValue(_files)!, given!, parse.GetValue(_template), parse.GetValue(_tokenizer), cancellation));
        bool tuned = given is null && !_run.HasExamples(parse.CommandResult);
        var labels = tuned ? LabelsOfModel(parse) : given;
        bool multi = parse.GetValue(_multi);
        bool think = parse.GetValue(_think), listed = _choosing.Listed(parse);
        var choice = _choosing.Read(parse, multi ? "with --multi" : null, think, _run.Options.Answering);
        return _run.RunAsync(parse, new AnswerWork(known => multi ? TaskPrompts.MultiLabel(known)
            : tuned ? TaskPrompts.ClassifyTuned(known!, listed) : TaskPrompts.Classify(known!, listed: listed))
        {
            Labels = labels,
            LabelsOfExamples = true,
            MatchLabels = !multi,
            Vote = true,
            Think = think,
            Choice = choice,
            ShowScores = _choosing.ShowScores(parse),
        }, parse.GetValue(_files)!, cancellation);
    }

    // A model that was fine-tuned on classes knows them.
    private IReadOnlyList<string> LabelsOfModel(ParseResult parse)
    {
        string folder = _run.Options.Model.FolderOf(parse);
        return FlamingoConfig.Load(ModelFolder.Open(folder).ConfigPath).Labels ?? throw new FlamingoException(FlamingoErrorKind.Usage,
            "The model has no classes of its own: give the labels by --labels or by --labels-file.");
    }

    // Null where the examples or the model say which labels there are.
    private string[]? Labels(ParseResult parse)
    {
        if (parse.GetValue(_labels) is { } list)
            return list.Split(',', StringSplitOptions.TrimEntries);
        if (parse.GetValue(_labelsFile) is not { } file)
            return null;
        if (!File.Exists(file))
            throw new FlamingoException(FlamingoErrorKind.Input, $"The file of labels '{file}' does not exist; check the path.");
        return [.. File.ReadLines(file).Select(l => l.Trim()).Where(l => l.Length > 0)];
    }
}
