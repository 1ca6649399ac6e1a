using System.CommandLine;
using System.Diagnostics;
using FlamingoSharp.Audio;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Explain;
using FlamingoSharp.Retrieval;
using FlamingoSharp.Text;

namespace FlamingoSharp.Cli.Verbs;

/// <summary><c>flamingo explain</c>: a page that shows which moments of a sound each word of an answer looked at.</summary>
internal sealed class ExplainVerb : Verb
{
    private readonly Argument<string> _file = new("FILE") { Description = "A sound file of any format." };

    private readonly Argument<string> _question = new("QUESTION") { Description = "What is asked about it, in quotes." };

    private readonly Option<string> _out = new("--out", "-o") { Description = "The page: one file of HTML that needs nothing else.", HelpName = "FILE", Required = true };

    private readonly ModelOptions _model = new();
    private readonly HearingOptions _hearing = new();
    private readonly AnsweringOptions _answering = new();
    private readonly IndexOptions _encoder = new();
    private readonly ShotOptions _shots;

    public ExplainVerb()
        : base("explain", "Answer a question and write a page that shows what each word of the answer listened to.",
            "flamingo explain samples/guitar-a-minor.wav \"Which instrument is played?\" --out why.html",
            "flamingo explain new.wav \"What bird is this?\" --shots 4 --index birds.db --out why.html")
    {
        Add(_file);
        Add(_question);
        Add(_out);
        _model.AddTo(this);
        _hearing.AddTo(this);
        _answering.AddTo(this);
        _shots = new ShotOptions(_encoder);
        _shots.AddTo(this);
        _encoder.AddTo(this);
    }

    protected override async Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        _answering.Read(parse); // contradictions are said before anything is loaded
        string file = parse.GetValue(_file)!, question = parse.GetValue(_question)!, path = parse.GetValue(_out)!;
        var task = TaskPrompts.Question(question);
        using var flamingo = _model.Load(parse);
        var generation = _answering.Read(parse, flamingo.Config.Generation);
        using var source = await _shots.OpenAsync(parse, _model, flamingo, cancellation).ConfigureAwait(false);
        var part = _hearing.PartOf(parse);
        var sound = _hearing.Hear(flamingo, file, parse, cancellation);
        using var asked = source is null
            ? new AskedFile(file, sound, new Question(flamingo.Config.Prompts.Ask(task), sound), TimeSpan.Zero)
            : await AskedFile.WithExamplesAsync(flamingo, task, source, file, sound, labels: null, part, vote: false, Stopwatch.StartNew(), cancellation).ConfigureAwait(false);
        var explanation = flamingo.Explain(asked.Question, generation, cancellation);
        new ExplanationPage
        {
            Config = flamingo.Config,
            File = file,
            Question = question,
            Explanation = explanation,
            Recording = SoundFile.Load(file, SoundOptions.For(flamingo.Config.Windows, part.Start, part.Duration), cancellation),
            Shots = asked.Shots ?? ShotSet.None,
        }.Write(path, cancellation);
        Terminal.Say(explanation.Answer.Text);
        Terminal.Note($"'{path}' shows why.");
        return ExitCode.Ok;
    }
}
