using System.CommandLine;
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

    private readonly Option<bool> _think = AnswerRun.Think();

    private readonly AnswerRun _run = new();

    public ClassifyVerb()
        : base("classify", "Choose the label that fits each sound.",
            "flamingo classify samples/rain.wav --labels rain,thunder,\"car horn\"",
            "flamingo classify \"samples/*.wav\" --labels-file labels.txt --json",
            "flamingo classify street.wav --labels \"car horn,siren,speech\" --multi")
    {
        Add(_files);
        Add(_labels);
        Add(_labelsFile);
        Add(_multi);
        Add(_think);
        Validators.Add(command =>
        {
            if (command.GetResult(_labels) is not null && command.GetResult(_labelsFile) is not null)
                command.AddError("Give the labels by --labels or by --labels-file.");
        });
        _run.AddTo(this);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var given = Labels(parse);
        var labels = given ?? LabelsOfModel(parse);
        bool multi = parse.GetValue(_multi);
        var task = multi ? TaskPrompts.MultiLabel(labels) : given is null ? TaskPrompts.ClassifyTuned(labels) : TaskPrompts.Classify(labels);
        return Task.FromResult(_run.Run(parse, task, parse.GetValue(_files)!, multi ? null : [.. labels.Order(StringComparer.Ordinal)], parse.GetValue(_think), cancellation));
    }

    // A model that was fine-tuned on classes knows them.
    private IReadOnlyList<string> LabelsOfModel(ParseResult parse)
    {
        string folder = _run.Options.Model.FolderOf(parse);
        return FlamingoConfig.Load(ModelFolder.Open(folder).ConfigPath).Labels ?? throw new FlamingoException(FlamingoErrorKind.Usage,
            "The model has no classes of its own: give the labels by --labels or by --labels-file.");
    }

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
