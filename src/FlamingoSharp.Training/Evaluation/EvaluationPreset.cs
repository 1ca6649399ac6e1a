using System.Text.Json;
using System.Text.Json.Serialization;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>A number that a paper reports.</summary>
/// <param name="Model">Whose it is.</param> <param name="Value">As printed; shares in percent.</param> <param name="Source">Where it stands.</param>
internal sealed record PublishedScore(string Model, double Value, string Source);

/// <summary>A row of a paper's table: which manifest it is about, how it is asked and scored, and what was published.</summary>
internal sealed record EvaluationPreset
{
    private static readonly JsonSerializerOptions s_form = new(JsonSerializerOptions.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    /// <summary>The table presets.json.</summary>
    public static IReadOnlyList<EvaluationPreset> All { get; } = Read();

    /// <summary>What <c>--preset</c> takes.</summary>
    public required string Name { get; init; }

    /// <summary>What papers call it.</summary>
    public required string Title { get; init; }

    /// <summary>How the names of its manifests begin, <c>Dataset-Task</c>.</summary>
    public required IReadOnlyList<string> Tasks { get; init; }

    /// <summary>What kind of answer it wants.</summary>
    public required AnswerKind Kind { get; init; }

    /// <summary>The types of question that belong to it, where its manifest has several; else none.</summary>
    public IReadOnlyList<string> Types { get; init; } = [];

    /// <summary>Which of the items of <see cref="Mixed"/> belong to it.</summary>
    public ItemFilter Filter { get; init; }

    /// <summary>The manifest that holds items of several rows, as the reference has it, several answers to a question among them; null where there is none.</summary>
    public string? Mixed { get; init; }

    /// <summary>What is asked; null for the usual wording of the kind, or the item's own question.</summary>
    public string? Question { get; init; }

    /// <summary>The labels to choose from; null for those of Audio Flamingo's own table, or the item's.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>The measure that the published numbers are of.</summary>
    public required string Measure { get; init; }

    /// <summary>What papers report.</summary>
    public IReadOnlyList<PublishedScore> Published { get; init; } = [];

    /// <summary>What keeps the numbers from being comparable, if something does.</summary>
    public string? Note { get; init; }

    /// <summary>The preset of a name.</summary>
    /// <exception cref="FlamingoException">There is none.</exception>
    public static EvaluationPreset Find(string name) => All.FirstOrDefault(p => string.Equals(p.Name, name, StringComparison.OrdinalIgnoreCase))
        ?? throw new FlamingoException(FlamingoErrorKind.Usage,
            $"There is no preset '{name}'. Known are {string.Join(", ", All.Select(p => p.Name))}.");

    /// <summary>The presets of a manifest, those whose names fit it best; none where it is none of the papers'.</summary>
    /// <param name="task"><c>Dataset-Task</c>.</param> <param name="among">Those to choose from; null for all.</param>
    public static IReadOnlyList<EvaluationPreset> Of(string task, IReadOnlyList<EvaluationPreset>? among = null)
    {
        among ??= All;
        int best = among.Max(p => p.Fit(task));
        return best == 0 ? [] : [.. among.Where(p => p.Fit(task) == best)];
    }

    /// <summary>Letters of a manifest's name that this preset knows; 0 where it is another's.</summary>
    public int Fit(string task) => Tasks.Where(t => task.StartsWith(t, StringComparison.OrdinalIgnoreCase)).Select(t => t.Length).DefaultIfEmpty(0).Max();

    private static EvaluationPreset[] Read()
    {
        using var stream = typeof(EvaluationPreset).Assembly.GetManifestResourceStream("FlamingoSharp.Training.Evaluation.presets.json")!;
        return JsonSerializer.Deserialize<EvaluationPreset[]>(stream, s_form)!;
    }
}

/// <summary>Which of the questions about a recording count, where several people answered each (ClothoAQA).</summary>
internal enum ItemFilter
{
    /// <summary>All.</summary>
    None,

    /// <summary>Those that everybody answered with yes, or everybody with no.</summary>
    UnanimousYesNo,

    /// <summary>Those that not everybody answered with yes or no.</summary>
    NonBinary,

    /// <summary>Those that are answered with a number.</summary>
    Numerical,
}
