using System.CommandLine;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Retrieval;

namespace FlamingoSharp.Cli.Verbs.Index;

/// <summary><c>flamingo index add</c>: more sounds for an index that is there.</summary>
internal sealed class IndexAddVerb : Verb
{
    private readonly Argument<string> _index = IndexOptions.Index();

    private readonly Argument<string[]> _sources = new("FILE") { Description = "Sound files, folders, data sets or manifests.", Arity = ArgumentArity.OneOrMore };

    private readonly Option<string?> _labels = new("--labels", "-l") { Description = "What is heard in the files that are named one by one, with commas between.", HelpName = "A,B,C" };

    private readonly Ingest _ingest = new();

    public IndexAddVerb()
        : base("add", "Add sounds to an index; what is there already is left as it is.",
            "flamingo index add birds.db heard-today.wav --labels blackbird",
            "flamingo index add birds.db more-birds")
    {
        Add(_index);
        Add(_sources);
        Add(_labels);
        _ingest.AddTo(this);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        string[] labels = parse.GetValue(_labels)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
        return _ingest.RunAsync(parse, parse.GetValue(_index)!, IndexSources.Find(parse.GetValue(_sources)!, split: null, labels), create: false, cancellation);
    }
}
