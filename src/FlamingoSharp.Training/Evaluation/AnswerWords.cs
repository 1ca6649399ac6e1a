using System.Text.RegularExpressions;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>Answers made comparable.</summary>
/// <remarks>Source: Audio Flamingo 1's evaluation lower-cases and strips both sides; here marks between words count as spaces too.</remarks>
internal static partial class AnswerWords
{
    /// <summary>Without outer white space and a last full stop.</summary>
    public static string Bare(string text) => text.Trim().TrimEnd('.').TrimEnd();

    /// <summary>Lower case, words with one space between, without marks other than hyphens, apostrophes, <c>+</c>, <c>#</c>, <c>&amp;</c> and points within numbers.</summary>
    public static string Normal(string text) => string.Join(' ', Words(text));

    /// <summary>The words of <see cref="Normal"/>.</summary>
    public static IReadOnlyList<string> Words(string text) => [.. Word().Matches(text.ToLowerInvariant()).Select(m => m.Value)];

    /// <summary>True where the words of one text stand in the other, one after the other.</summary>
    public static bool Contains(string text, string words) => words.Length > 0 && $" {Normal(text)} ".Contains($" {Normal(words)} ", StringComparison.Ordinal);

    /// <summary>True where a text has one of some words.</summary>
    public static bool HasAny(string text, IReadOnlySet<string> words) => Words(text).Any(words.Contains);

    /// <summary>The labels of a list: parted by commas, semicolons or lines.</summary>
    public static IReadOnlyList<string> Labels(string text) =>
        [.. text.Split([',', ';', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Normal).Where(l => l.Length > 0).Distinct()];

    /// <summary>Yes or no, where an answer begins with it; null where it does not.</summary>
    public static string? YesOrNo(string text) => Words(text) is [("yes" or "no") and var first, ..] ? first : null;

    /// <summary>MMAU's rule: an answer means the option all of whose words it has, if it has no word that only other options have; null otherwise.</summary>
    /// <remarks>Source: the benchmark's own evaluation, as described for it; to be checked against the official script.</remarks>
    public static string? ByOptionTokens(string answer, IReadOnlyList<string> options)
    {
        var said = Words(answer).ToHashSet();
        var sets = options.Select(o => Words(o).ToHashSet()).ToList();
        return options.Where((_, i) => sets[i].Count > 0 && sets[i].IsSubsetOf(said)
            && !sets.Where((_, j) => j != i).SelectMany(o => o).Except(sets[i]).Any(said.Contains)).FirstOrDefault();
    }

    [GeneratedRegex(@"[\p{L}\p{M}\p{N}]+(?:[-'’.:/][\p{L}\p{M}\p{N}]+)*[+#]*|&")]
    private static partial Regex Word();
}
