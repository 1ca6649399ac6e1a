namespace FlamingoSharp.Training.Evaluation;

/// <summary>How one asks whether something is heard: in the words of the data set's own questions about presence where it has some, else in plain ones.</summary>
internal sealed class PresenceWording
{
    private const string Opening = "can you hear ", Language = "language";

    // Nouns without an article.
    private static readonly HashSet<string> s_mass =
    [
        "applause", "breaking", "brass", "electricity", "electronic music", "fire", "glass", "laughter", "lava", "lightning", "machinery", "magic", "metal", "music", "noise",
        "percussion", "rain", "science fiction", "silence", "speech", "static", "steam", "thunder", "traffic", "water", "weather", "wind", "wood",
    ];

    private static readonly string[] s_articles = ["a", "an", "the", "some", "someone", "something", "two", "several"];

    private readonly Dictionary<string, string> _phrases;

    /// <param name="affirmed">Questions of the data set that are answered yes, with the labels of the sounds.</param>
    public PresenceWording(IEnumerable<(IReadOnlyList<string> Labels, string Question)> affirmed) => _phrases = affirmed
        .Select(e => (e.Labels, Phrase: PhraseOf(e.Question)))
        .Where(e => e.Phrase is not null)
        .SelectMany(e => e.Labels.Select(AnswerWords.Normal).Where(l => AnswerWords.Contains(e.Phrase!, l)).Select(l => (Label: l, e.Phrase)))
        .GroupBy(p => p.Label).ToDictionary(g => g.Key, g => g.CountBy(p => p.Phrase!).OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).First().Key);

    /// <summary>The question whether something is heard.</summary>
    /// <param name="type">The type of question that it answers, e.g. <c>language</c>.</param> <param name="label">What.</param>
    public string Ask(string type, string label)
    {
        string name = AnswerWords.Bare(label).ToLowerInvariant();
        if (type == Language)
            return $"is someone speaking {name}?";
        return $"{Opening}{_phrases.GetValueOrDefault(AnswerWords.Normal(label)) ?? WithArticle(name)}?";
    }

    private static string? PhraseOf(string question) =>
        question.StartsWith(Opening, StringComparison.OrdinalIgnoreCase) ? question[Opening.Length..].TrimEnd('?', ' ').ToLowerInvariant() : null;

    private static string WithArticle(string noun)
    {
        string last = noun[(noun.LastIndexOf(' ') + 1)..];
        bool plural = last.EndsWith('s') && !last.EndsWith("ss", StringComparison.Ordinal) && !last.EndsWith("bass", StringComparison.Ordinal);
        bool doing = last.EndsWith("ing", StringComparison.Ordinal) && last is not ("ring" or "string" or "spring" or "king" or "wing");
        return plural || doing || s_mass.Contains(noun) || s_articles.Contains(noun.Split(' ')[0]) ? noun : (noun.Length > 0 && "aeiou".Contains(noun[0]) ? "an " : "a ") + noun;
    }
}
