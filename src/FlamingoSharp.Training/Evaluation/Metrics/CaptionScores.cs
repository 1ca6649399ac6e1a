namespace FlamingoSharp.Training.Evaluation;

/// <summary>A caption and the captions it is compared with, as words (<see cref="PtbTokenizer"/>).</summary>
/// <param name="Candidate">The caption to be scored; may be empty.</param>
/// <param name="References">At least one right caption.</param>
public sealed record CaptionWords(IReadOnlyList<string> Candidate, IReadOnlyList<IReadOnlyList<string>> References)
{
    /// <summary>Cuts texts into words.</summary>
    /// <exception cref="FlamingoException">There is no reference.</exception>
    public static CaptionWords Of(string candidate, IReadOnlyList<string> references)
    {
        ArgumentNullException.ThrowIfNull(references);
        if (references.Count == 0)
            throw new FlamingoException(FlamingoErrorKind.Input, $"The caption \"{candidate}\" has no reference to compare it with; give at least one.");
        return new(PtbTokenizer.Tokenize(candidate), [.. references.Select(PtbTokenizer.Tokenize)]);
    }
}

/// <summary>A score of a whole set, and of each of its items in order.</summary>
/// <param name="Value">Of the set.</param>
/// <param name="Items">Of each item.</param>
public sealed record CaptionScore(double Value, IReadOnlyList<double> Items);

/// <summary>Counts of word sequences.</summary>
internal static class NGrams
{
    /// <summary>How often each sequence of <paramref name="length"/> words occurs.</summary>
    public static Dictionary<string, int> Count(IReadOnlyList<string> words, int length)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i + length <= words.Count; i++)
        {
            string gram = string.Join(' ', words.Skip(i).Take(length)); // words have no spaces
            counts[gram] = counts.GetValueOrDefault(gram) + 1;
        }
        return counts;
    }
}
