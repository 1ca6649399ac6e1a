using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Training.DataSets;

namespace FlamingoSharp.Cli.Verbs.Data;

/// <summary><c>flamingo data build</c>: one command from a user's sounds to a data set.</summary>
internal sealed class DataBuildVerb : Verb
{
    private const int Shown = 20; // faults

    private readonly Argument<string?> _input = new("input")
    {
        Description = "A folder with a folder of sounds for each class, or a .csv or .jsonl file with path and label, labels, caption, or question and answer.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string> _out = new("--out", "-o") { Description = "Folder of the data set; one that is there is made anew.", HelpName = "SET", Required = true };

    private readonly Option<string?> _name = new("--name") { Description = "What the data set is called. Default: as its source.", HelpName = "NAME" };

    private readonly Option<double> _validation = new("--val") { Description = "Share of sounds for validation, where the source has no splits.", HelpName = "SHARE", DefaultValueFactory = _ => new SplitOptions().Validation };

    private readonly Option<double> _test = new("--test") { Description = "Share of sounds for the test, where the source has no splits.", HelpName = "SHARE", DefaultValueFactory = _ => new SplitOptions().Test };

    private readonly Option<int> _seed = new("--seed") { Description = "Another seed deals the sounds out differently.", HelpName = "N" };

    private readonly Option<bool> _json = new("--json") { Description = "What was made as one JSON object." };

    public DataBuildVerb()
        : base("build", "Make a data set from a folder of class folders or a table.",
            "flamingo data build sounds --out sets/sounds",
            "flamingo data build clips.csv --out sets/clips --val 0.1 --test 0.2")
    {
        Add(_input);
        foreach (Option option in new Option[] { _out, _name, _validation, _test, _seed, _json })
            Add(option);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        string input = parse.GetValue(_input) ?? throw new FlamingoException(FlamingoErrorKind.Usage,
            "Name a folder of class folders, or a .csv or .jsonl file. See 'flamingo data build --help'.");
        var options = new BuildDataSetOptions
        {
            OutputFolder = parse.GetValue(_out)!,
            Name = parse.GetValue(_name),
            Splits = new() { Validation = parse.GetValue(_validation), Test = parse.GetValue(_test), Seed = parse.GetValue(_seed) },
        };
        var built = Terminal.Track("Reading sounds", bar => BuildDataSet.From(input, options, bar, cancellation));
        if (parse.GetValue(_json))
            Terminal.Say(JsonSerializer.Serialize(Line(built), CliJson.Lines.DataSetLine));
        else
            Print(built);
        return Task.FromResult(Report(built));
    }

    private static void Print(BuiltDataSet built)
    {
        Terminal.Say(string.Create(CultureInfo.InvariantCulture, $"{built.Set.Folder}: {built.Set.Manifests.Sum(m => m.Count)} examples"));
        var rows = new Rows();
        foreach (var manifest in built.Set.Manifests)
            rows.Add("  " + manifest.Name, manifest.Count.ToString(CultureInfo.InvariantCulture));
        rows.Print();
    }

    private static int Report(BuiltDataSet built)
    {
        foreach (string note in built.Notes)
            Terminal.Warn(note);
        foreach (var rule in built.LeftOut.Where(l => !l.IsFault).GroupBy(l => l.Reason, StringComparer.Ordinal))
            Terminal.Note(rule.Count() == 1 ? $"{rule.First().What} {rule.Key}." : $"{rule.Count()} left out, e.g. {rule.First().What}: {rule.Key}.");
        var faults = built.LeftOut.Where(l => l.IsFault).ToList();
        foreach (var fault in faults.Take(Shown))
            Terminal.Warn($"{fault.What} {fault.Reason}.");
        if (faults.Count == 0)
            return ExitCode.Ok;
        Terminal.Warn($"{faults.Count} {(faults.Count == 1 ? "fault" : "faults")} in all; the data set was made without what they concern.");
        return ExitCode.Input;
    }

    private static DataSetLine Line(BuiltDataSet built) => new(
        built.Set.Folder, built.Set.Name, [.. built.Set.Tasks.Select(t => new TaskLine(t.Name, t.Kind.ToString().ToLowerInvariant(), t.Labels))],
        built.Set.Manifests.ToDictionary(m => m.Name, m => m.Count), built.Notes, [.. built.LeftOut.Select(l => new LeftOutLine(l.What, l.Reason, l.IsFault))]);
}
