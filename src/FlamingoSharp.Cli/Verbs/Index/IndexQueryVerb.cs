using System.CommandLine;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Retrieval;
using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Cli.Verbs.Index;

/// <summary><c>flamingo index query</c>: the sounds most like others.</summary>
internal sealed class IndexQueryVerb : Verb
{
    private readonly Argument<string> _index = IndexOptions.Index();

    private readonly Argument<string[]> _files = new("FILE") { Description = "Sound files of any format; * ? and ** match several.", Arity = ArgumentArity.OneOrMore };

    private readonly Option<bool> _duplicates = new("--duplicates") { Description = "Also find the sound itself and near-duplicates of it." };

    private readonly MatchList _matches = new();
    private readonly HearingOptions _hearing = new();
    private readonly ModelOptions _model = new();
    private readonly IndexOptions _encoder = new();

    public IndexQueryVerb()
        : base("query", "Find the sounds most like a sound.",
            "flamingo index query birds.db new.wav --top 5",
            "flamingo index query birds.db new.wav --json")
    {
        Add(_index);
        Add(_files);
        Add(_duplicates);
        _matches.AddTo(this);
        _hearing.AddTo(this);
        _model.AddTo(this);
        _encoder.AddTo(this);
    }

    protected override async Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var files = InputFiles.Expand(parse.GetValue(_files)!);
        using var embedder = _encoder.Open(parse, _model);
        using var index = await SoundIndex.OpenAsync(parse.GetValue(_index)!, embedder, readOnly: true, cancellation).ConfigureAwait(false);
        var (start, duration) = _hearing.PartOf(parse);
        int code = ExitCode.Ok;
        foreach (string file in files)
        {
            try
            {
                var found = await index.QueryAsync(file, new() { Top = _matches.TopOf(parse), Duplicates = parse.GetValue(_duplicates) }, start, duration, cancellation).ConfigureAwait(false);
                _matches.Print(parse, files.Count > 1 ? file : null, file, found);
            }
            catch (FlamingoException e) when (e.Kind == FlamingoErrorKind.Input && files.Count > 1)
            {
                int failed = Terminal.Fail(e);
                code = code == ExitCode.Ok ? failed : code;
            }
        }
        return code;
    }
}
