using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Training.Data;
using FlamingoSharp.Training.DataSets;
using Spectre.Console;

namespace FlamingoSharp.Cli.Verbs.Data;

/// <summary><c>flamingo data validate</c>: a data set, its texts and every recording behind it, before hours are spent on it.</summary>
internal sealed class DataValidateVerb : Verb
{
    private const int Shown = 30; // faults

    private readonly Argument<string> _path = new("set") { Description = "A data set's folder, or the file of one manifest." };

    private readonly Option<double> _shortest = new("--shortest") { Description = "Shorter recordings are errors, in seconds.", HelpName = "SECONDS", DefaultValueFactory = _ => new ValidateDataSetOptions().MinimumSeconds };

    private readonly Option<string?> _tokenizer = TokenizerOption.Create("Counts the tokens of texts.");

    private readonly Option<int> _maxTokens = new("--max-tokens") { Description = "Tokens of a text at most.", HelpName = "N", DefaultValueFactory = _ => SampleComposer.MaxTokens, Validators = { r => r.AtLeast(1) } };

    private readonly Option<bool> _near = new("--near") { Description = "Also look for sounds that are nearly the same in different splits." };

    private readonly Option<string?> _root = new("--data-root") { Description = "Folder below which a manifest of no data set says its recordings lie.", HelpName = "DIR" };

    private readonly Option<bool> _json = new("--json") { Description = "The report as one JSON object." };

    public DataValidateVerb()
        : base("validate", "Check a data set: missing, unreadable, short, silent and repeated sounds, leaks between splits, texts.",
            "flamingo data validate sets/sounds",
            "flamingo data validate sets/sounds/sounds-SoundClassification/train.json --json")
    {
        Add(_path);
        foreach (Option option in new Option[] { _shortest, _tokenizer, _maxTokens, _near, _root, _json })
            Add(option);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var options = new ValidateDataSetOptions
        {
            MinimumSeconds = parse.GetValue(_shortest),
            Tokenizer = TokenizerOption.Find(parse.GetValue(_tokenizer)),
            MaxTokens = parse.GetValue(_maxTokens),
            NearDuplicates = parse.GetValue(_near),
            DataRoot = parse.GetValue(_root),
        };
        var report = Terminal.Track("Checking sounds", bar => ValidateDataSet.Run(parse.GetValue(_path)!, options, bar, cancellation));
        if (parse.GetValue(_json))
            Terminal.Say(JsonSerializer.Serialize(Line(report), CliJson.Lines.DataReportLine));
        else
            Print(report);
        return Task.FromResult(report.Errors == 0 ? ExitCode.Ok : ExitCode.Input);
    }

    private static void Print(DataSetReport report)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (string column in new[] { "manifest", "items", "sounds", "minutes", "errors", "warnings" })
            table.AddColumn(new TableColumn(column) { NoWrap = true, Alignment = column == "manifest" ? Justify.Left : Justify.Right });
        foreach (var manifest in report.Manifests)
        {
            var faults = report.Faults.Where(f => f.Manifest == manifest.Name).ToList();
            table.AddRow([.. new[]
            {
                manifest.Name, Number(manifest.Items), Number(manifest.Sounds), manifest.Minutes.ToString("0.0", CultureInfo.InvariantCulture),
                Number(faults.Count(f => f.IsError)), Number(faults.Count(f => !f.IsError)),
            }.Select(Markup.Escape)]);
        }
        Terminal.Show(table);
        foreach (var kind in report.Faults.GroupBy(f => f.Kind).OrderByDescending(k => k.Any(f => f.IsError)).ThenBy(k => k.Key))
            Terminal.Say($"{(kind.Any(f => f.IsError) ? "error" : "warning")}: {Words(kind.Key)}: {kind.Count()}");
        foreach (var fault in report.Faults.OrderByDescending(f => f.IsError).Take(Shown))
            Terminal.Say($"  {fault.Manifest}{(fault.Item is null ? "" : $" item {fault.Item}")}: {fault.Message}");
        if (report.Faults.Count > Shown)
            Terminal.Note($"{report.Faults.Count - Shown} more; --json lists all.");
        Terminal.Say(report.Errors == 0
            ? $"no errors, {report.Warnings} {(report.Warnings == 1 ? "warning" : "warnings")}"
            : $"{report.Errors} {(report.Errors == 1 ? "error" : "errors")}, {report.Warnings} {(report.Warnings == 1 ? "warning" : "warnings")}");
    }

    private static DataReportLine Line(DataSetReport report) => new(
        report.Errors, report.Warnings,
        [.. report.Manifests.Select(m => new CheckedManifestLine(m.Name, m.Items, m.Sounds, Math.Round(m.Minutes, 3)))],
        [.. report.Faults.Select(f => new DataFaultLine(Words(f.Kind), f.IsError, f.Manifest, f.Item, f.Message))]);

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    // AnswerNotAmongChoices -> answer not among choices
    private static string Words(DataFaultKind kind) =>
        string.Concat(kind.ToString().Select((c, i) => char.IsUpper(c) && i > 0 ? " " + char.ToLowerInvariant(c) : char.ToLowerInvariant(c).ToString()));
}
