using System.CommandLine;
using FlamingoSharp.Training;

namespace FlamingoSharp.Cli.Verbs.Train;

/// <summary><c>flamingo train average</c>: one model of several runs that began with the same weights.</summary>
internal sealed class TrainAverageVerb : Verb
{
    private readonly Argument<string[]> _models = new("MODEL") { Description = "Model folders of one form, two or more.", Arity = ArgumentArity.OneOrMore };

    private readonly Option<string> _out = new("--out", "-o") { Description = "The folder to write; must not exist, or be empty.", HelpName = "DIR", Required = true };

    public TrainAverageVerb()
        : base("average", "Average the weights of runs that began with the same ones.",
            "flamingo train average run1 run2 --out mean")
    {
        Add(_models);
        Add(_out);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        Terminal.Say(ModelAveraging.Run(parse.GetValue(_models)!, parse.GetValue(_out)!, cancellation).Path);
        return Task.FromResult(ExitCode.Ok);
    }
}
