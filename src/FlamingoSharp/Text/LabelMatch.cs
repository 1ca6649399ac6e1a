using System.Text.RegularExpressions;

namespace FlamingoSharp.Text;

/// <summary>Which label an answer means: the same words, whatever their case, outer spaces and full stop; failing that its letter, as in (B).</summary>
public static partial class LabelMatch
{
    /// <summary>The label as it was given; null when the answer is none of them.</summary>
    /// <param name="answer">What the model said.</param> <param name="labels">In the order in which the prompt letters them.</param>
    public static string? Find(string answer, IReadOnlyList<string> labels)
    {
        ArgumentNullException.ThrowIfNull(answer);
        ArgumentNullException.ThrowIfNull(labels);
        string bare = Bare(answer);
        if (Same(bare) is { } whole)
            return whole;
        if (Lettered().Match(bare) is not { Success: true } match)
            return null;
        return Same(Bare(match.Groups["words"].Value))
            ?? labels.Where((_, i) => string.Equals(TaskPrompts.LetterOf(i), match.Groups["letter"].Value, StringComparison.OrdinalIgnoreCase)).FirstOrDefault();

        string? Same(string words) => labels.FirstOrDefault(l => string.Equals(Bare(l), words, StringComparison.OrdinalIgnoreCase));
    }

    private static string Bare(string text) => text.Trim().TrimStart('-').TrimEnd('.').Trim();

    [GeneratedRegex(@"^\((?<letter>[A-Za-z]+)\)\s*(?<words>.*)$", RegexOptions.Singleline)]
    private static partial Regex Lettered();
}
