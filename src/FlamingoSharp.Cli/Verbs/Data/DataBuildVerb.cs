using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
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

    private readonly Option<string?> _layout = new("--layout")
    {
        Description = $"The folder is a published data set as its archives unpack: {string.Join(", ", BuildDataSet.Layouts.Select(l => l.Name))}; 'list' tells what each folder holds.",
        HelpName = "NAME",
    };

    private readonly Option<string?> _catalogue = new("--catalogue") { Description = "Recorded clips: a file of the form of catalogue.jsonl.", HelpName = "FILE" };

    private readonly Option<string?> _synthesis = new("--synthesis") { Description = "Recipes, rendered into the data set: a file of the form of synthesis.jsonl.", HelpName = "FILE" };

    private readonly Option<string?> _questions = new("--qa") { Description = "Questions about both: a file of the form of qa.jsonl.", HelpName = "FILE" };

    private readonly Option<string?> _audio = new("--audio") { Description = "Folder of the catalogue's packages: DIR/package/path.", HelpName = "DIR" };

    private readonly Option<bool> _permissive = new("--permissive") { Description = "With --catalogue: only sounds under CC0, CC-BY, MIT, BSD and the like." };

    private readonly Option<string?> _out = new("--out", "-o") { Description = "Folder of the data set; one that is there is made anew.", HelpName = "SET" };

    private readonly Option<string?> _name = new("--name") { Description = "What the data set is called. Default: as its source.", HelpName = "NAME" };

    private readonly Option<double> _validation = ShareOption.Create("--val", "Share of sounds for validation, where the source has no splits.", new SplitOptions().Validation);

    private readonly Option<double> _test = ShareOption.Create("--test", "Share of sounds for the test, where the source has no splits.", new SplitOptions().Test);

    private readonly Option<int> _seed = new("--seed") { Description = "Another seed deals the sounds out differently.", HelpName = "N" };

    private readonly Option<bool> _json = new("--json") { Description = "What was made as one JSON object." };

    public DataBuildVerb()
        : base("build", "Make a data set from a folder of class folders or a table.",
            "flamingo data build sounds --out sets/sounds",
            "flamingo data build clips.csv --out sets/clips --val 0.1 --test 0.2",
            "flamingo data build --layout clotho-v2 downloads/clotho --out sets/clotho",
            "flamingo data build --catalogue catalogue.jsonl --synthesis synthesis.jsonl --qa qa.jsonl --audio audio --out sets/catalogue")
    {
        Add(_input);
        foreach (Option option in new Option[] { _layout, _catalogue, _synthesis, _questions, _audio, _permissive, _out, _name, _validation, _test, _seed, _json })
            Add(option);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        if (parse.GetValue(_layout) == "list")
        {
            foreach (var (name, folder) in BuildDataSet.Layouts)
                Terminal.Say($"{name}: {folder}");
            return Task.FromResult(ExitCode.Ok);
        }
        var options = new BuildDataSetOptions
        {
            OutputFolder = parse.GetValue(_out) ?? throw Misused("--out is missing: the folder of the data set."),
            Name = parse.GetValue(_name),
            Splits = new() { Validation = parse.GetValue(_validation), Test = parse.GetValue(_test), Seed = parse.GetValue(_seed) },
        };
        var source = SourceOf(parse);
        var built = Terminal.Track("Preparing sounds", bar => source(options, bar, cancellation));
        if (parse.GetValue(_json))
            Terminal.Say(JsonSerializer.Serialize(Line(built), CliJson.Lines.DataSetLine));
        else
            Print(built);
        return Task.FromResult(Report(built));
    }

    private Func<BuildDataSetOptions, Action<double>, CancellationToken, BuiltDataSet> SourceOf(ParseResult parse)
    {
        string? input = parse.GetValue(_input), catalogue = parse.GetValue(_catalogue), audio = parse.GetValue(_audio);
        if (catalogue is null)
        {
            foreach (Option only in new Option[] { _synthesis, _questions, _audio, _permissive })
            {
                if (parse.GetResult(only) is { Implicit: false })
                    throw Misused($"{only.Name} belongs to --catalogue; give both, or leave it out.");
            }
            if (input is null)
                throw Misused("Name a folder of class folders, a .csv or .jsonl file, or --catalogue.");
            if (parse.GetValue(_layout) is { } layout)
                return (options, bar, cancellation) => BuildDataSet.FromLayout(layout, input, options, bar, cancellation);
            return (options, bar, cancellation) => BuildDataSet.From(input, options, bar, cancellation);
        }
        if (input is not null)
            throw Misused($"There are two sources, '{input}' and '{catalogue}'; name one.");
        if (parse.GetValue(_layout) is { } other)
            throw Misused($"--layout {other} and --catalogue are two sources; name one.");
        if (audio is null)
            throw Misused("--catalogue needs --audio, the folder of its packages.");
        var files = new CatalogueFilesOptions
        {
            Catalogue = catalogue,
            Synthesis = parse.GetValue(_synthesis),
            Questions = parse.GetValue(_questions),
            AudioFolder = audio,
            PermissiveOnly = parse.GetValue(_permissive),
        };
        return (options, bar, cancellation) => BuildDataSet.From(files, options, bar, cancellation);
    }

    private static FlamingoException Misused(string message) => new(FlamingoErrorKind.Usage, $"{message} See 'flamingo data build --help'.");

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
