using System.CommandLine;
using FlamingoSharp.Text;

namespace FlamingoSharp.Cli.Verbs;

/// <summary><c>flamingo classify</c>: which of some labels fits.</summary>
internal sealed class ClassifyVerb : Verb
{
    private readonly Argument<string[]> _files = new("FILE") { Description = "Sound files of any format; * ? and ** match several.", Arity = ArgumentArity.OneOrMore };

    private readonly Option<string?> _labels = new("--labels", "-l") { Description = "Labels with commas between.", HelpName = "A,B,C" };

    private readonly Option<string?> _labelsFile = new("--labels-file") { Description = "A text file with one label a line.", HelpName = "FILE" };

    private readonly Option<bool> _multi = new("--multi") { Description = "Any number of the labels may fit." };

    private readonly Option<bool> _think = AnswerRun.Think();

    private readonly AnswerRun _run = new(shots: true);

    public ClassifyVerb()
        : base("classify", "Choose the label that fits each sound.",
            "flamingo classify samples/rain.wav --labels rain,thunder,\"car horn\"",
            "flamingo classify \"samples/*.wav\" --labels-file labels.txt --json",
            "flamingo classify new.wav --shots 4 --index birds.db",
            "flamingo classify street.wav --labels \"car horn,siren,speech\" --multi")
    {
        Add(_files);
        Add(_labels);
        Add(_labelsFile);
        Add(_multi);
        Add(_think);
        Validators.Add(command =>
        {
            bool list = command.GetResult(_labels) is not null, file = command.GetResult(_labelsFile) is not null;
            if (list ? file : !file && !_run.HasExamples(command))
                command.AddError("Give the labels by --labels or by --labels-file.");
        });
        _run.AddTo(this);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        bool multi = parse.GetValue(_multi);
        return _run.RunAsync(parse, new AnswerWork(labels => multi ? TaskPrompts.MultiLabel(labels) : TaskPrompts.Classify(labels!))
        {
            Labels = Labels(parse) is { } labels ? multi ? labels : [.. labels.Order(StringComparer.Ordinal)] : null,
            LabelsOfExamples = true,
            MatchLabels = !multi,
            Vote = true,
            Think = parse.GetValue(_think),
        }, parse.GetValue(_files)!, cancellation);
    }

    // Null where the examples say which labels there are.
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
