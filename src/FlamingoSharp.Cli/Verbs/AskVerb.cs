using System.CommandLine;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Text;

namespace FlamingoSharp.Cli.Verbs;

/// <summary><c>flamingo ask</c>: a question about each of some sounds.</summary>
internal sealed class AskVerb : Verb
{
    private readonly Argument<string[]> _words = new("FILE... QUESTION")
    {
        Description = "Sound files, then the question in quotes.",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string[]> _files = new("--file", "-f") { Description = "A sound file; may be given several times.", HelpName = "FILE" };

    private readonly Option<bool> _yesNo = new("--yes-no") { Description = "Ask for yes or no." };

    private readonly Option<string?> _options = new("--options") { Description = "Answers to choose from, with commas between.", HelpName = "A,B,C" };

    private readonly Option<bool> _think = AnswerRun.Think();

    private readonly ChoosingOptions _choosing = new();

    private readonly AnswerRun _run = new(shots: true);

    public AskVerb()
        : base("ask", "Ask a question about each of some sounds.",
            "flamingo ask samples/rain.wav \"What can be heard?\"",
            "flamingo ask samples/bell.wav \"Is there a bell?\" --yes-no --show-scores",
            "flamingo ask bells.wav \"Where do the bells ring?\" --options church,school,\"fire station\" --think --model models/af2-cot",
            "flamingo ask --file a.wav --file b.flac \"How many dogs bark?\" --json",
            "flamingo ask new.wav \"What bird is this?\" --shots 4 --index birds.db",
            "flamingo ask samples/piano.wav \"Which instrument is played?\" --show-prompt")
    {
        Add(_words);
        Add(_files);
        Add(_yesNo);
        Add(_options);
        Add(_think);
        _choosing.AddTo(this);
        Validators.Add(command =>
        {
            if (command.GetResult(_yesNo) is { Implicit: false } && command.GetResult(_options) is not null)
                command.AddError("Give --yes-no or --options, not both.");
        });
        _run.AddTo(this);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        string[] words = parse.GetValue(_words)!;
        string[] files = [.. words[..^1], .. parse.GetValue(_files) ?? []];
        string question = words[^1];
        if (files.Length == 0)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage, File.Exists(question)
                ? $"There is no question about '{question}'. Give the file first, then the question in quotes."
                : "There is no file to ask about. Give the file first, then the question in quotes.");
        }
        string[]? options = parse.GetValue(_options)?.Split(',', StringSplitOptions.TrimEntries);
        bool yesNo = parse.GetValue(_yesNo), think = parse.GetValue(_think), listed = _choosing.Listed(parse);
        var choice = _choosing.Read(parse, options is null && !yesNo ? "without --options or --yes-no" : null, think, _run.Options.Answering);
        var task = options is not null ? TaskPrompts.Choose(question, options, listed)
            : yesNo ? TaskPrompts.YesOrNo(question, listed) : TaskPrompts.Question(question);
        return _run.RunAsync(
            parse, new AnswerWork(_ => task) { MatchedOptions = options, Think = think, Choice = choice, ShowScores = _choosing.ShowScores(parse) }, files, cancellation);
    }
}
