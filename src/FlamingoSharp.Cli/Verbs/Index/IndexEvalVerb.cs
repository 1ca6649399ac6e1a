using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Cli.Verbs.Index;

/// <summary><c>flamingo index eval</c>: how well an index finds sounds of the same label.</summary>
internal sealed class IndexEvalVerb : Verb
{
    private readonly Argument<string> _index = IndexOptions.Index();

    private readonly Option<int[]> _ks = new("--k")
    {
        Description = "The k of recall@k; may be given several times. Default: 1, 5, 10.",
        HelpName = "K",
        DefaultValueFactory = _ => [1, 5, 10],
    };

    private readonly Option<int> _voters = new("--voters") { Description = "Neighbours that vote for a label.", HelpName = "N", DefaultValueFactory = _ => 5, Validators = { r => r.AtLeast(1) } };

    private readonly Option<int> _limit = new("--limit") { Description = "Sounds asked about at most, evenly spaced.", HelpName = "N", DefaultValueFactory = _ => 2000, Validators = { r => r.AtLeast(1) } };

    private readonly Option<bool> _json = new("--json") { Description = "Print one JSON object." };

    private readonly GroupOptions _groups = new();

    public IndexEvalVerb()
        : base("eval", "Measure how well an index finds sounds of the same label: recall@k, mAP by label, and the vote of the nearest.",
            "flamingo index eval birds.db", "flamingo index eval birds.db --k 1 --k 20 --json")
    {
        Add(_index);
        Add(_ks);
        Add(_voters);
        Add(_limit);
        Add(_json);
        _groups.AddTo(this);
    }

    protected override async Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var groupOf = _groups.Read(parse);
        using var store = IndexLocation.Store(parse.GetValue(_index)!, readOnly: true);
        await store.OpenAsync(cancellation).ConfigureAwait(false);
        var report = await Terminal.Track("Evaluating", bar => RetrievalEvaluation.RunAsync(
            store, parse.GetValue(_ks), parse.GetValue(_voters), parse.GetValue(_limit), groupOf, new CallbackProgress<double>(bar), cancellation)).ConfigureAwait(false);
        if (parse.GetValue(_json))
        {
            Terminal.Say(JsonSerializer.Serialize(new IndexEvalLine(
                store.Name, report.Sounds, report.Queries, report.RecallAt.ToDictionary(r => r.Key.ToString(CultureInfo.InvariantCulture), r => Math.Round(r.Value, 6)),
                Math.Round(report.MeanAveragePrecision, 6), report.Voters, Math.Round(report.VoteAccuracy, 6), report.Labels), CliJson.Lines.IndexEvalLine));
            return ExitCode.Ok;
        }
        var rows = new Rows { { "sounds", $"{report.Sounds} with a label, {report.Queries} of them asked about" } };
        foreach (var (k, recall) in report.RecallAt.OrderBy(r => r.Key))
            rows.Add($"recall@{k}", Percent(recall));
        rows.Add("mAP", $"{Percent(report.MeanAveragePrecision)}, mean over {report.Labels.Count} labels");
        rows.Add("vote", $"{Percent(report.VoteAccuracy)} right by the {report.Voters} nearest");
        foreach (var label in report.Labels)
            rows.Add($"  {label.Label}", $"AP {Percent(label.AveragePrecision)} ({label.Queries})");
        rows.Print();
        return ExitCode.Ok;
    }

    private static string Percent(double share) => share.ToString("0.0 %", CultureInfo.InvariantCulture);
}
