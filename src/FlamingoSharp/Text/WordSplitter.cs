using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;

namespace FlamingoSharp.Text;

/// <summary>Cuts a text into the words that merging stays inside of, by the expression that a tokenizer file gives.</summary>
/// <remarks>
/// Microsoft.ML.Tokenizers' RegexPreTokenizer sees UTF-16 units, so that a letter beyond U+FFFF is two surrogates and no \p{L}
/// to it, and a word may end inside a character. Here the expression runs over one unit per character: characters beyond U+FFFF
/// are replaced by one of the same kind for the match alone.
/// </remarks>
internal sealed class WordSplitter(Regex words) : PreTokenizer
{
    // One of each kind that the expressions tell apart: \p{L}, \p{N}, and neither (private use). None takes part in case folding.
    private const char Letter = '\u4E00', Number = '\u2460', Other = '\uE000';

    /// <inheritdoc/>
    public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => PreTokenize(text.ToString());

    /// <inheritdoc/>
    public override IEnumerable<(int Offset, int Length)> PreTokenize(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0)
            return Split(text);

        var units = new StringBuilder(text.Length);
        var offsets = new List<int>(text.Length + 1);
        int offset = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            units.Append(rune.IsBmp ? (char)rune.Value : Rune.IsLetter(rune) ? Letter : IsNumber(rune) ? Number : Other);
            offsets.Add(offset);
            offset += rune.Utf16SequenceLength;
        }
        offsets.Add(offset);
        return Split(units.ToString()).Select(w => (offsets[w.Offset], offsets[w.Offset + w.Length] - offsets[w.Offset]));
    }

    // What lies between two matches is a word too.
    private IEnumerable<(int Offset, int Length)> Split(string text)
    {
        int end = 0;
        for (var match = words.Match(text); match.Success; match = match.NextMatch())
        {
            if (match.Index > end)
                yield return (end, match.Index - end);
            if (match.Length > 0)
                yield return (match.Index, match.Length);
            end = match.Index + match.Length;
        }
        if (end < text.Length)
            yield return (end, text.Length - end);
    }

    private static bool IsNumber(Rune rune) => Rune.GetUnicodeCategory(rune)
        is System.Globalization.UnicodeCategory.DecimalDigitNumber
        or System.Globalization.UnicodeCategory.LetterNumber
        or System.Globalization.UnicodeCategory.OtherNumber;
}
