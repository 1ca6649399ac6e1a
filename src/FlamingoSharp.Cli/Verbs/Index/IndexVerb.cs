using System.CommandLine;

namespace FlamingoSharp.Cli.Verbs.Index;

/// <summary><c>flamingo index</c>: sounds that can be found by likeness, a subcommand for each step.</summary>
internal sealed class IndexVerb : Command
{
    public IndexVerb()
        : base("index", "Make an index of sounds and ask it; a subcommand for each step.")
    {
        Add(new IndexBuildVerb());
        Add(new IndexAddVerb());
        Add(new IndexRemoveVerb());
        Add(new IndexQueryVerb());
        Add(new IndexStatsVerb());
        Add(new IndexEvalVerb());
        Add(new IndexFewShotVerb());
        Add(new IndexBenchVerb());
    }
}
