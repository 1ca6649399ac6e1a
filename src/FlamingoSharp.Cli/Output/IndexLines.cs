using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Cli.Output;

/// <summary>A sound that was found, as <c>--json</c> prints it.</summary>
internal sealed record MatchLine(
    string? Query, int Rank, double Similarity, string File, IReadOnlyList<string> Labels, string? Caption, double? Start, double? Duration, string Hash)
{
    public static MatchLine Of(string? query, int rank, SoundMatch match) => new(
        query, rank, Math.Round(match.Similarity, 6), match.Sound.Path, match.Sound.Labels, match.Sound.Caption,
        match.Sound.StartSeconds == 0 ? null : match.Sound.StartSeconds, match.Sound.DurationSeconds, match.Sound.Hash);
}

/// <summary>What an ingest did.</summary>
internal sealed record IngestLine(string Index, int Added, int Known, IReadOnlyList<FailedLine> Failed, long Sounds, double Seconds);

/// <summary>A file that could not be used.</summary>
internal sealed record FailedLine(string File, string Reason);

/// <summary>What an index holds.</summary>
internal sealed record IndexStatsLine(
    string Index, long Sounds, long? Bytes, string Encoder, int Dimension, string WeightsHash, int Captions, int Missing, IReadOnlyDictionary<string, int> Labels);

/// <summary>How well an index finds.</summary>
internal sealed record IndexEvalLine(
    string Index, int Sounds, int Queries, IReadOnlyDictionary<string, double> RecallAt, double MeanAveragePrecision, int Voters, double VoteAccuracy, IReadOnlyList<LabelRetrieval> Labels);

/// <summary>An example that was shown to the model.</summary>
internal sealed record ShotLine(string File, string Answer, double? Similarity)
{
    public static IReadOnlyList<ShotLine>? Of(ShotSet? shots) => shots is null
        ? null
        : [.. shots.Entries.Select(e => new ShotLine(e.Path, e.Answer, e.Similarity is { } s ? Math.Round(s, 6) : null))];
}

/// <summary>A label that neighbours voted for.</summary>
internal sealed record VoteLine(string Label, int Votes, double Similarity);

/// <summary>An answer and how well it fits the sound.</summary>
internal sealed record RankedLine(string Text, double Similarity);

/// <summary>How fast an index is.</summary>
internal sealed record IndexBenchLine(
    string Index, int Sounds, int Dimensions, double WrittenPerSecond, long? Bytes, double FirstQueryMs, double QueryMs, double Query95Ms, double QueryProcessorMs, double Recall, int Cores);
