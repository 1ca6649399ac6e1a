using System.CommandLine;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Retrieval;

namespace FlamingoSharp.Cli.Verbs.Index;

/// <summary><c>flamingo index build</c>: an index of the sounds in folders, data sets or manifests.</summary>
internal sealed class IndexBuildVerb : Verb
{
    private readonly Argument<string[]> _sources = new("DIR")
    {
        Description = "Folders whose subfolders are named after what is heard, data sets of 'flamingo data build', or manifests.",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string> _out = new("--out", "-o") { Description = $"The index: {IndexOptions.Places}. One that is there is completed.", HelpName = "INDEX", Required = true };

    private readonly Option<string?> _split = new("--split") { Description = "Of a data set only this split.", HelpName = "NAME" };

    private readonly Ingest _ingest = new();

    public IndexBuildVerb()
        : base("build", "Make an index of the sounds in folders, or complete one.",
            "flamingo index build birds --out birds.db",
            "flamingo index build SET --split train --out train.db",
            "flamingo index build birds --out \"postgres://me@db.local/sounds?index=birds\"")
    {
        Add(_sources);
        Add(_out);
        Add(_split);
        _ingest.AddTo(this);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation) =>
        _ingest.RunAsync(parse, parse.GetValue(_out)!, IndexSources.Find(parse.GetValue(_sources)!, parse.GetValue(_split), []), create: true, cancellation);
}
