using System.CommandLine;
using FlamingoSharp.Cli.Segments;
using FlamingoSharp.Text;

namespace FlamingoSharp.Cli.Verbs;

/// <summary><c>flamingo caption</c>: what is heard, in a sentence.</summary>
internal sealed class CaptionVerb : Verb
{
    private readonly Argument<string[]> _files = new("FILE") { Description = "Sound files of any format; * ? and ** match several.", Arity = ArgumentArity.OneOrMore };

    private readonly Option<string> _style = new("--style")
    {
        Description = $"Which task the model is given: {string.Join(", ", TaskPrompts.Named.Keys)}.",
        HelpName = "NAME",
        DefaultValueFactory = _ => "caption",
    };

    private readonly AnswerRun _run = new();
    private readonly SegmentRun _segments;

    public CaptionVerb()
        : base("caption", "Describe sounds in a sentence each.",
            "flamingo caption samples/rain.wav",
            "flamingo caption \"samples/*.wav\" --batch 8 --json",
            "flamingo caption day.flac --segments 10 --out day.srt",
            "flamingo caption song.mp3 --start 30 --duration 10 --beams 3",
            "flamingo caption song.mp3 --style caption-music --sample --top-p 0.95 --candidates 5 --seed 1")
    {
        Add(_files);
        _style.AcceptOnlyFromAmong([.. TaskPrompts.Named.Keys]);
        Add(_style);
        _segments = new SegmentRun(_run.Options);
        _segments.AddTo(this);
        _run.AddTo(this);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var task = TaskPrompts.Named[parse.GetValue(_style)!];
        string[] files = parse.GetValue(_files)!;
        return _segments.IsAsked(parse)
            ? _segments.RunAsync(parse, task, files, cancellation)
            : _run.RunAsync(parse, new AnswerWork(_ => task), files, cancellation);
    }
}
