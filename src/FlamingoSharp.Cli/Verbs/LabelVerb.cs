using System.CommandLine;
using FlamingoSharp.Cli.Labels;
using FlamingoSharp.Text;

namespace FlamingoSharp.Cli.Verbs;

/// <summary><c>flamingo label</c>: a text for each of many sounds, into one file.</summary>
internal sealed class LabelVerb : Verb
{
    private readonly Argument<string[]> _inputs = new("INPUT")
    {
        Description = "Folders of sounds, data sets, manifests (.json), sound files; * ? and ** match several.",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string?> _prompt = new("--prompt") { Description = "Ask this of every sound.", HelpName = "QUESTION" };

    private readonly Option<bool> _caption = new("--caption") { Description = "Describe every sound in a sentence; what is done unless --prompt or --style says otherwise." };

    private readonly Option<string?> _style = new("--style") { Description = $"Another task of the model: {string.Join(", ", TaskPrompts.Named.Keys)}.", HelpName = "NAME" };

    private readonly LabelRun _run = new();

    public LabelVerb()
        : base("label", "Describe many sounds, or ask one question of all, into a file of JSON lines. The same command continues a run that was stopped.",
            "flamingo label recordings --out labels.jsonl",
            "flamingo label recordings --prompt \"Is somebody speaking?\" --out speech.jsonl --batch 16",
            "flamingo label set/Birds-Classification/test.json --out test.jsonl",
            "mpirun -np 4 flamingo label recordings --out labels.jsonl",
            "flamingo label recordings --shard 2/4 --out labels-2.jsonl")
    {
        Add(_inputs);
        _style.AcceptOnlyFromAmong([.. TaskPrompts.Named.Keys]);
        foreach (Option option in new Option[] { _caption, _prompt, _style })
            Add(option);
        _run.AddTo(this);
        Validators.Add(command =>
        {
            if (new Option[] { _caption, _prompt, _style }.Count(o => command.GetResult(o) is { Implicit: false }) > 1)
                command.AddError("Say what to ask by one of --caption, --prompt and --style.");
        });
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var task = parse.GetValue(_prompt) is { } question ? TaskPrompts.Question(question)
            : parse.GetValue(_style) is { } style ? TaskPrompts.Named[style] : TaskPrompts.Caption;
        return Task.FromResult(_run.Run(parse, task, parse.GetValue(_inputs)!, cancellation));
    }
}
