using System.CommandLine;
using FlamingoSharp.Cli.Options;
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

    private readonly ChoosingOptions _choosing = new();

    private readonly AnswerRun _run = new();

    public ClassifyVerb()
        : base("classify", "Choose the label that fits each sound.",
            "flamingo classify samples/rain.wav --labels rain,thunder,\"car horn\"",
            "flamingo classify \"samples/*.wav\" --labels-file labels.txt --json",
            "flamingo classify samples/bell.wav --labels bell,rain,dog --show-scores",
            "flamingo classify street.wav --labels \"car horn,siren,speech\" --multi")
    {
        Add(_files);
        Add(_labels);
        Add(_labelsFile);
        Add(_multi);
        Add(_think);
        _choosing.AddTo(this);
        Validators.Add(command =>
        {
            if (command.GetResult(_labels) is null == command.GetResult(_labelsFile) is null)
                command.AddError("Give the labels by --labels or by --labels-file.");
        });
        _run.AddTo(this);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var labels = Labels(parse);
        bool multi = parse.GetValue(_multi);
        bool think = parse.GetValue(_think);
        var choice = _choosing.Read(parse, multi ? "with --multi" : null, think, _run.Options.Answering);
        var task = multi ? TaskPrompts.MultiLabel(labels) : TaskPrompts.Classify(labels, listed: _choosing.Listed(parse));
        return Task.FromResult(_run.Run(
            parse,
            new AnswerRequest(task) { Labels = multi ? null : task.Answers, Think = think, Choice = choice, ShowScores = _choosing.ShowScores(parse) },
            parse.GetValue(_files)!, cancellation));
    }

    private string[] Labels(ParseResult parse)
    {
        if (parse.GetValue(_labels) is { } list)
            return list.Split(',', StringSplitOptions.TrimEntries);
        string file = parse.GetValue(_labelsFile)!;
        if (!File.Exists(file))
            throw new FlamingoException(FlamingoErrorKind.Input, $"The file of labels '{file}' does not exist; check the path.");
        return [.. File.ReadLines(file).Select(l => l.Trim()).Where(l => l.Length > 0)];
    }
}
