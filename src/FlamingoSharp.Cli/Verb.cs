using System.CommandLine;

namespace FlamingoSharp.Cli;

/// <summary>One verb of the command line; a file each.</summary>
internal abstract class Verb : Command
{
    /// <param name="name">What is typed.</param> <param name="description">A sentence for the list of verbs.</param>
    /// <param name="examples">Whole command lines, most wanted first.</param>
    protected Verb(string name, string description, params string[] examples)
        : base(name, description)
    {
        Examples = examples;
        SetAction(RunAsync);
    }

    /// <summary>Command lines that help shows.</summary>
    public IReadOnlyList<string> Examples { get; }

    /// <summary>Does the work.</summary>
    /// <returns>The exit code; an error may as well be thrown.</returns>
    protected abstract Task<int> RunAsync(ParseResult parse, CancellationToken cancellation);
}
