using System.CommandLine;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Retrieval;
using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Cli.Verbs;

/// <summary><c>flamingo search</c>: sounds that fit a text.</summary>
internal sealed class SearchVerb : Verb
{
    private readonly Argument<string> _text = new("TEXT") { Description = "What is to be heard, in quotes." };

    private readonly Option<string> _index = new("--index") { Description = $"The index: {IndexOptions.Places}.", HelpName = "INDEX", Required = true };

    private readonly MatchList _matches = new();
    private readonly ModelOptions _model = new();
    private readonly IndexOptions _encoder = new();

    public SearchVerb()
        : base("search", "Find the sounds of an index that fit a text; the index's encoder must read texts too.",
            "flamingo search \"dog barking in the distance\" --index sounds.db --top 10")
    {
        Add(_text);
        Add(_index);
        _matches.AddTo(this);
        _model.AddTo(this);
        _encoder.AddTo(this);
    }

    protected override async Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        string text = parse.GetValue(_text)!;
        using var embedder = _encoder.Open(parse, _model);
        using var index = await SoundIndex.OpenAsync(parse.GetValue(_index)!, embedder, readOnly: true, cancellation).ConfigureAwait(false);
        _matches.Print(parse, heading: null, text, await index.SearchAsync(text, _matches.TopOf(parse), cancellation).ConfigureAwait(false));
        return ExitCode.Ok;
    }
}
