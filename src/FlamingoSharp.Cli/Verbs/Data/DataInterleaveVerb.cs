using System.CommandLine;
using System.Globalization;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Training.DataSets;

namespace FlamingoSharp.Cli.Verbs.Data;

/// <summary><c>flamingo data interleave</c>: few-shot manifests over the plain ones.</summary>
internal sealed class DataInterleaveVerb : Verb
{
    private readonly Argument<string> _path = new("set") { Description = "The data set's folder; its set.json will list the new manifests." };

    private readonly Option<int> _shots = new("--shots") { Description = "Examples shown before each question.", HelpName = "K", DefaultValueFactory = _ => new InterleaveOptions().Shots, Validators = { r => r.AtLeast(1) } };

    private readonly Option<bool> _random = new("--random") { Description = "Draw the shots at random from the training split." };

    private readonly Option<string[]> _tasks = new("--tasks") { Description = "Only these tasks (Dataset-Task). Default: all.", HelpName = "NAME", AllowMultipleArgumentsPerToken = true };

    private readonly Option<string[]> _splits = new("--splits") { Description = "Only these splits. Default: all.", HelpName = "NAME", AllowMultipleArgumentsPerToken = true };

    private readonly Option<int> _seed = new("--seed") { Description = "Another seed draws other shots.", HelpName = "N" };

    public DataInterleaveVerb()
        : base("interleave", "Write few-shot manifests: examples of the training split before each question.",
            "flamingo data interleave sets/sounds --shots 4 --random")
    {
        Add(_path);
        foreach (Option option in new Option[] { _shots, _random, _tasks, _splits, _seed })
            Add(option);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        if (!parse.GetValue(_random))
            throw new FlamingoException(FlamingoErrorKind.Usage, "How are the shots chosen? Give --random. See 'flamingo data interleave --help'.");
        var options = new InterleaveOptions
        {
            Shots = parse.GetValue(_shots),
            Seed = parse.GetValue(_seed),
            Tasks = parse.GetValue(_tasks) ?? [],
            Splits = parse.GetValue(_splits) ?? [],
        };
        var set = DataSet.Open(parse.GetValue(_path)!);
        foreach (var manifest in Terminal.Track("Choosing shots", bar => InterleaveDataSet.Run(set, options, bar, cancellation)).Written)
            Terminal.Say(string.Create(CultureInfo.InvariantCulture, $"{manifest.Name}: {manifest.Count} items of {manifest.Shots} shots"));
        return Task.FromResult(ExitCode.Ok);
    }
}
