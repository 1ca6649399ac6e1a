using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Cli.Verbs.Index;

/// <summary><c>flamingo index stats</c>: what an index holds, and who made it.</summary>
internal sealed class IndexStatsVerb : Verb
{
    private readonly Argument<string> _index = IndexOptions.Index();

    private readonly Option<bool> _json = new("--json") { Description = "Print one JSON object." };

    public IndexStatsVerb()
        : base("stats", "Say what an index holds, and which encoder made it.", "flamingo index stats birds.db")
    {
        Add(_index);
        Add(_json);
    }

    protected override async Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        using var store = IndexLocation.Store(parse.GetValue(_index)!, readOnly: true);
        await store.OpenAsync(cancellation).ConfigureAwait(false);
        var labels = new SortedDictionary<string, int>(StringComparer.Ordinal);
        int captions = 0, missing = 0;
        await foreach (var sound in store.ScanAsync(cancellationToken: cancellation).ConfigureAwait(false))
        {
            foreach (string label in sound.Labels)
                labels[label] = labels.GetValueOrDefault(label) + 1;
            captions += sound.Caption is null ? 0 : 1;
            missing += File.Exists(sound.Path) ? 0 : 1;
        }
        long count = await store.CountAsync(cancellation).ConfigureAwait(false);
        long? bytes = await store.SizeAsync(cancellation).ConfigureAwait(false);
        if (parse.GetValue(_json))
        {
            Terminal.Say(JsonSerializer.Serialize(
                new IndexStatsLine(store.Name, count, bytes, store.Encoder.Name, store.Encoder.Dimension, store.Encoder.WeightsHash, captions, missing, labels), CliJson.Lines.IndexStatsLine));
            return ExitCode.Ok;
        }
        var rows = new Rows
        {
            { "index", store.Name },
            { "encoder", store.Encoder.ToString() },
            { "sounds", Quantity.Count(count) },
            { "size", bytes is { } size ? Quantity.Bytes(size) : "unknown" },
            { "with a caption", captions.ToString(CultureInfo.InvariantCulture) },
            { "files gone", missing.ToString(CultureInfo.InvariantCulture) },
            { "labels", labels.Count == 0 ? "none" : string.Join(", ", labels.Select(l => $"{l.Key} {l.Value}")) },
        };
        rows.Print();
        return ExitCode.Ok;
    }
}
