using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using FlamingoSharp.Training.Journals;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>Everything that an evaluation found, and what is needed to repeat it; <c>report.json</c> holds it as it stands here, names with underscores.</summary>
internal sealed record EvaluationReport
{
    /// <summary>The form of the file.</summary>
    public const string CurrentFormat = "flamingo-eval/1";

    public string Format { get; init; } = CurrentFormat;

    /// <summary>The program and its version.</summary>
    public required string Tool { get; init; }

    /// <summary>When the report was made, UTC.</summary>
    public required string Date { get; init; }

    public required ModelFacts Model { get; init; }

    public required DataFacts Data { get; init; }

    public required GenerationFacts Generation { get; init; }

    /// <summary>What said which texts mean the same; null where nothing did.</summary>
    public string? Embedder { get; init; }

    /// <summary>The means of rows' main measures: of all whose measure is a share of right answers, of captions' CIDEr-D, of dialogues that are consistent, each where there are rows of that kind.</summary>
    public required IReadOnlyDictionary<string, double> Macro { get; init; }

    public required IReadOnlyList<RowReport> Rows { get; init; }

    /// <summary>Seconds of sound that were asked about, and that did not fit the model.</summary>
    public required double SecondsHeard { get; init; }

    public required double SecondsDropped { get; init; }

    /// <summary>Questions that could not be answered; no score counts them.</summary>
    public required IReadOnlyList<Unanswered> Unanswered { get; init; }

    /// <summary>The definition and version of every measure.</summary>
    public IReadOnlyDictionary<string, string> Measures { get; init; } = Evaluation.Measures.Definitions;

    public IReadOnlyDictionary<string, string> NotComputed { get; init; } = Evaluation.Measures.NotComputed;
}

/// <summary>What was asked about.</summary>
/// <param name="Path">The data set or manifest.</param> <param name="Split">Its split.</param> <param name="Items">Questions in all rows.</param>
/// <param name="Limit">Questions of each row at most, where not all were asked.</param> <param name="Sha256">Stands for all prompts, sounds' names and right answers.</param>
internal sealed record DataFacts(string Path, string Split, int Items, int? Limit, string Sha256);

/// <summary>Questions that are scored together.</summary>
internal sealed record RowReport
{
    public required string Name { get; init; }

    public required AnswerKind Kind { get; init; }

    /// <summary>Questions scored.</summary>
    public required int Items { get; init; }

    /// <summary>The measure that the row is summed up by.</summary>
    public required string Headline { get; init; }

    public required IReadOnlyDictionary<string, double> Scores { get; init; }

    /// <summary>The same measures of the items whose speaker is in no training item; null where no speakers are known.</summary>
    public SpeakerScores? UnseenSpeakers { get; init; }

    /// <summary>The same measures of answers that need no model, by the baseline's name.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> Baselines { get; init; }

    /// <summary>What papers report, as printed there.</summary>
    public IReadOnlyList<PublishedScore> Published { get; init; } = [];

    /// <summary>The measure that these numbers are of.</summary>
    public string? PublishedMeasure { get; init; }

    public string? Note { get; init; }

    /// <summary>Exactly what the model read, for the row's first item.</summary>
    public required string Prompt { get; init; }

    /// <summary>Share of answers that were cut off at the most tokens allowed.</summary>
    public required double CutOff { get; init; }

    /// <summary>Which answers were given for which; null where answers are no labels.</summary>
    public ConfusionReport? Confusion { get; init; }

    public required IReadOnlyList<Prediction> Samples { get; init; }
}

/// <summary>Scores over fewer items.</summary>
internal sealed record SpeakerScores(int Items, IReadOnlyDictionary<string, double> Scores);

/// <summary>A confusion matrix.</summary>
/// <param name="Labels">Of rows (right answers) and columns (given ones), those that are right somewhere first.</param>
/// <param name="Counts">By row, then by column; the last column counts answers that are no label.</param>
internal sealed record ConfusionReport(IReadOnlyList<string> Labels, IReadOnlyList<IReadOnlyList<int>> Counts)
{
    public static ConfusionReport Of(ConfusionMatrix matrix)
    {
        string[] labels = [.. matrix.Labels.OrderByDescending(l => matrix.Count(l) > 0)];
        return new(labels, [.. labels.Where(l => matrix.Count(l) > 0).Select(e => (int[])[.. labels.Select(g => matrix[e, g]), matrix[e, null]])]);
    }
}

/// <summary>A question, the right answer and the one given.</summary>
internal sealed record Prediction(string Id, string Sound, string Question, string Expected, string Answer, bool? Right)
{
    /// <summary>Where in its file the sound begins, in seconds.</summary>
    public double? Start { get; init; }

    /// <summary>How long it is, in seconds; null for all that follows.</summary>
    public double? Duration { get; init; }

    /// <summary>What was heard.</summary>
    [JsonIgnore]
    public HeardPart Heard => new(Sound, Start ?? 0, Duration);
}

/// <summary>JSON of reports and journals.</summary>
[JsonSerializable(typeof(EvaluationReport))]
[JsonSerializable(typeof(FewShotReport))]
[JsonSerializable(typeof(AnswerWork))]
[JsonSerializable(typeof(AnswerRecord))]
[JsonSerializable(typeof(AnswersEnd))]
[JsonSerializable(typeof(StatisticsRecord))]
[JsonSerializable(typeof(TextVector))]
internal sealed partial class EvaluationJson : JsonSerializerContext
{
    /// <summary>Names with underscores, text as it is, absent values left out; one line.</summary>
    public static EvaluationJson Lines { get; } = new(Style(indented: false));

    /// <summary>The same over many lines, for people.</summary>
    public static EvaluationJson File { get; } = new(Style(indented: true));

    private static JsonSerializerOptions Style(bool indented) => new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = indented,
        Converters = { new JsonStringEnumConverter<AnswerKind>(JsonNamingPolicy.SnakeCaseLower) },
    };
}
