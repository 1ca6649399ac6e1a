using System.Text.Json;

namespace FlamingoSharp.Training.Data;

/// <summary>What each data set is asked, and the labels it answers with: the table wordings.json.</summary>
/// <remarks>Tasks are matched by their beginning. Source: the configuration data of Audio Flamingo 1.</remarks>
internal sealed record Wordings
{
    /// <summary>A data set, or several whose names begin alike.</summary>
    /// <param name="Task">How the name of the task begins.</param>
    /// <param name="Question">What is asked; null keeps the data set's own question.</param>
    /// <param name="Labels">The possible answers, with ", " between; null where there is no fixed list.</param>
    internal sealed record Entry(string Task, string? Question = null, string? Labels = null)
    {
        public IEnumerable<string> List => Labels?.Split(", ") ?? [];
    }

    /// <summary>A question for every task whose name holds a word.</summary>
    internal sealed record Rule(string Contains, string Question);

    /// <summary>The table.</summary>
    public static Wordings Table { get; } = Read();

    /// <summary>One name for each emotion.</summary>
    public required IReadOnlyDictionary<string, string> Emotions { get; init; }

    /// <summary>Data sets of questions and answers.</summary>
    public required IReadOnlyList<string> QuestionPrefixes { get; init; }

    /// <summary>What captions are asked for with, by wording.</summary>
    public required IReadOnlyDictionary<string, string> Captions { get; init; }

    /// <summary>Data sets with one label for each sound.</summary>
    public required IReadOnlyList<Entry> SingleLabel { get; init; }

    /// <summary>Questions that follow from the kind of label.</summary>
    public required IReadOnlyList<Rule> SingleLabelQuestions { get; init; }

    /// <summary>What data sets with several labels for each sound are asked.</summary>
    public required string MultiLabelQuestion { get; init; }

    /// <summary>Data sets with several labels for each sound.</summary>
    public required IReadOnlyList<Entry> MultiLabel { get; init; }

    /// <summary>Data sets with a question of their own.</summary>
    public required IReadOnlyList<Entry> FixedQuestions { get; init; }

    /// <summary>The entry of a task.</summary>
    public static Entry? Find(IReadOnlyList<Entry> entries, string task) =>
        entries.FirstOrDefault(e => task.StartsWith(e.Task, StringComparison.Ordinal));

    private static Wordings Read()
    {
        using var stream = typeof(Wordings).Assembly.GetManifestResourceStream("FlamingoSharp.Training.Data.wordings.json")!;
        return JsonSerializer.Deserialize<Wordings>(stream, JsonSerializerOptions.Web)!;
    }
}
