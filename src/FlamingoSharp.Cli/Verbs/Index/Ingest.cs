using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Cli.Verbs.Index;

/// <summary>What <c>index build</c> and <c>index add</c> share.</summary>
internal sealed class Ingest
{
    private readonly ModelOptions _model = new();
    private readonly IndexOptions _encoder = new();

    private readonly Option<int> _batch = new("--batch")
    {
        Description = "Sounds embedded and written together. What was written is on disk: the same command again goes on where it was stopped.",
        HelpName = "N",
        DefaultValueFactory = _ => 32,
        Validators = { r => r.AtLeast(1) },
    };

    private readonly Option<bool> _json = new("--json") { Description = "Print what was done as one JSON object." };

    public void AddTo(Command command)
    {
        command.Add(_batch);
        command.Add(_json);
        _model.AddTo(command);
        _encoder.AddTo(command);
    }

    /// <summary>Adds sounds to an index.</summary>
    /// <returns>0, or 2 where a file could not be used; the others are in the index.</returns>
    public async Task<int> RunAsync(ParseResult parse, string location, IReadOnlyList<SoundEntry> sounds, bool create, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        using var embedder = _encoder.Open(parse, _model);
        using var index = create
            ? await SoundIndex.CreateAsync(location, embedder, cancellation).ConfigureAwait(false)
            : await SoundIndex.OpenAsync(location, embedder, cancellation: cancellation).ConfigureAwait(false);
        var result = await Terminal.Track("Indexing", bar => index.AddAsync(sounds, new() { BatchSize = parse.GetValue(_batch) },
            new CallbackProgress<IngestProgress>(p => bar((double)p.Done / Math.Max(1, p.Total))), cancellation)).ConfigureAwait(false);
        foreach (var (_, reason) in result.Failures)
            Terminal.Fail(reason);
        long all = await index.Store.CountAsync(cancellation).ConfigureAwait(false);
        Terminal.Say(parse.GetValue(_json)
            ? JsonSerializer.Serialize(new IngestLine(index.Store.Name, result.Added, result.Known, [.. result.Failures.Select(f => new FailedLine(f.Path, f.Reason))], all,
                Math.Round(watch.Elapsed.TotalSeconds, 3)), CliJson.Lines.IngestLine)
            : string.Create(CultureInfo.InvariantCulture, $"{index.Store.Name}: {result.Added} added, {result.Known} known already, {result.Failures.Count} unusable; {all} sounds in all"));
        return result.Failures.Count > 0 ? ExitCode.Input : ExitCode.Ok;
    }
}
