using System.CommandLine;

namespace FlamingoSharp.Cli.Options;

/// <summary><c>--leave-out A,B</c>: concepts that a model is not to know.</summary>
internal sealed class LeaveOutOption : Option<string[]>
{
    public LeaveOutOption()
        : base("--leave-out")
    {
        Description = "Concepts of the catalogue, commas between, whose clips are not learned from.";
        HelpName = "A,B";
    }

    /// <summary>The concepts named.</summary>
    public string[] Of(ParseResult parse) =>
        [.. (parse.GetValue(this) ?? []).SelectMany(c => c.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];
}
