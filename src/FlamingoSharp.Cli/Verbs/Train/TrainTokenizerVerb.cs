using System.CommandLine;
using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Cli.Verbs.Train;

/// <summary><c>flamingo train mini-tokenizer</c>: the first merges of the GPT-2 list as a tokenizer.</summary>
internal sealed class TrainTokenizerVerb : Verb
{
    private readonly Option<string> _merges = new("--merges") { Description = "merges.txt of GPT-2 or OPT.", HelpName = "FILE", Required = true };

    private readonly Option<int> _count = new("--count") { Description = "Merges to keep.", HelpName = "N", DefaultValueFactory = _ => MiniTokenizer.DefaultMerges };

    private readonly Option<string> _out = new("--out", "-o") { Description = "The tokenizer.json to write.", HelpName = "FILE", Required = true };

    public TrainTokenizerVerb()
        : base("mini-tokenizer", "Make the small tokenizer from the first merges of the GPT-2 list.",
            "flamingo train mini-tokenizer --merges opt-iml-max-1.3b/merges.txt --out models/flamingo-mini/tokenizer.json")
    {
        Add(_merges);
        Add(_count);
        Add(_out);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        string merges = parse.GetValue(_merges)!, file = parse.GetValue(_out)!;
        if (!File.Exists(merges))
            throw new FlamingoException(FlamingoErrorKind.Input, $"The list of merges '{merges}' does not exist; check the path.");
        MiniTokenizer.Build(merges, parse.GetValue(_count), file);
        Terminal.Say(file);
        return Task.FromResult(ExitCode.Ok);
    }
}
