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

    /// <summary>Which of a manifest's items belong to it where no types are given.</summary>
    public ItemFilter Filter { get; init; }

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

    /// <summary>The presets of a manifest; none where it is none of the papers'.</summary>
    public static IReadOnlyList<EvaluationPreset> Of(string task) => [.. All.Where(p => p.Tasks.Any(t => task.StartsWith(t, StringComparison.OrdinalIgnoreCase)))];

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

    /// <summary>Those that nobody answered with yes or no.</summary>
    NonBinary,

    /// <summary>Those that are answered with a number.</summary>
    Numerical,
}
