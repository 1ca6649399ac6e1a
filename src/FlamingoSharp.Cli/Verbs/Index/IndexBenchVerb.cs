using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Cli.Retrieval;
using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Cli.Verbs.Index;

/// <summary><c>flamingo index bench</c>: how fast an index of some size would be here.</summary>
internal sealed class IndexBenchVerb : Verb
{
    private readonly Option<int> _sounds = new("--sounds") { Description = "Vectors in the index.", HelpName = "N", DefaultValueFactory = _ => 100_000, Validators = { r => r.AtLeast(1) } };

    private readonly Option<int> _dimensions = new("--dimensions") { Description = "Numbers in a vector.", HelpName = "N", DefaultValueFactory = _ => 512, Validators = { r => r.AtLeast(2) } };

    private readonly Option<int> _queries = new("--queries") { Description = "Times that it is asked.", HelpName = "N", DefaultValueFactory = _ => 100, Validators = { r => r.AtLeast(1) } };

    private readonly Option<int> _batch = new("--batch") { Description = "Vectors written together.", HelpName = "N", DefaultValueFactory = _ => 1000, Validators = { r => r.AtLeast(1) } };

    private readonly Option<string?> _at = new("--at")
    {
        Description = $"Where the index is made, and removed afterwards: {IndexOptions.Places}. Default: a file in the folder of temporary files.",
        HelpName = "INDEX",
    };

    private readonly Option<bool> _json = new("--json") { Description = "Print one JSON object." };

    public IndexBenchVerb()
        : base("bench", "Fill an index with made-up vectors and ask it: rates, size, time of a query, recall.",
            "flamingo index bench", "flamingo index bench --sounds 10000 --at \"postgres://me@localhost/sounds?index=bench\"")
    {
        foreach (Option option in new Option[] { _sounds, _dimensions, _queries, _batch, _at, _json })
            Add(option);
    }

    protected override async Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        string location = parse.GetValue(_at) ?? Path.Combine(Path.GetTempPath(), $"flamingo-bench-{Guid.NewGuid():N}.db");
        using var store = IndexLocation.Store(location, new EncoderIdentity("bench", "0", parse.GetValue(_dimensions)));
        if (await store.CollectionExistsAsync(cancellation).ConfigureAwait(false))
            throw new FlamingoException(FlamingoErrorKind.Usage, $"There is an index '{store.Name}' already; the bench makes one of its own and removes it. Name another.");
        await store.EnsureCollectionExistsAsync(cancellation).ConfigureAwait(false);
        IndexBenchLine line;
        try
        {
            line = await Terminal.Track("Filling the index", bar => IndexBench.RunAsync(
                store, parse.GetValue(_sounds), parse.GetValue(_queries), parse.GetValue(_batch), bar, cancellation)).ConfigureAwait(false);
        }
        finally
        {
            await store.EnsureCollectionDeletedAsync(CancellationToken.None).ConfigureAwait(false);
        }
        if (parse.GetValue(_json))
        {
            Terminal.Say(JsonSerializer.Serialize(line, CliJson.Lines.IndexBenchLine));
            return ExitCode.Ok;
        }
        new Rows
        {
            { "index", $"{Quantity.Count(line.Sounds)} vectors of {line.Dimensions}" },
            { "writing", string.Create(CultureInfo.InvariantCulture, $"{line.WrittenPerSecond:N0} vectors/s") },
            { "size", line.Bytes is { } bytes ? Quantity.Bytes(bytes) : "unknown" },
            { "first query", string.Create(CultureInfo.InvariantCulture, $"{line.FirstQueryMs:N0} ms, vectors read") },
            { "query", string.Create(CultureInfo.InvariantCulture, $"{line.QueryMs:0.00} ms median, {line.Query95Ms:0.00} ms for 95 %; {line.QueryProcessorMs:0.00} ms of processor time ({line.Cores} cores)") },
            { "recall@10", line.Recall.ToString("0.0000", CultureInfo.InvariantCulture) },
        }.Print();
        return ExitCode.Ok;
    }
}
