using System.Globalization;
using System.Text;

namespace FlamingoSharp.Text;

/// <summary>How a text is changed before it enters a template. The changes are those of the reference's Python, to the character.</summary>
[Flags]
public enum TextForm
{
    /// <summary>As it is.</summary>
    AsIs = 0,

    /// <summary>Without white space at either end.</summary>
    Strip = 1,

    /// <summary>In lower case.</summary>
    Lower = 2,

    /// <summary>Followed by a space, unless it is empty.</summary>
    ThenSpace = 4,
}

/// <summary>Applies a <see cref="TextForm"/>.</summary>
internal static class TextForms
{
    public static string Apply(this TextForm form, string text)
    {
        if (form.HasFlag(TextForm.Strip))
            text = Strip(text);
        if (form.HasFlag(TextForm.Lower))
            text = Lower(text);
        return form.HasFlag(TextForm.ThenSpace) && text.Length > 0 ? text + " " : text;
    }

    /// <summary>Python's str.strip(): the four separators U+001C to U+001F are white space to it.</summary>
    public static string Strip(string text)
    {
        int start = 0, end = text.Length;
        while (start < end && IsSpace(text[start]))
            start++;
        while (end > start && IsSpace(text[end - 1]))
            end--;
        return text[start..end];
    }

    /// <summary>Python's str.lower(): a capital sigma that ends a word becomes ς, and İ becomes two characters.</summary>
    public static string Lower(string text)
    {
        string lower = text.ToLowerInvariant();
        if (text.AsSpan().IndexOfAny('\u03A3', '\u0130') < 0)
            return lower;
        var result = new StringBuilder(text.Length + 1);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\u0130')
                result.Append("i\u0307");
            else if (text[i] == '\u03A3' && CasedNeighbour(text, i, -1) && !CasedNeighbour(text, i, +1))
                result.Append('\u03C2');
            else
                result.Append(lower[i]);
        }
        return result.ToString();
    }

    private static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001C' and <= '\u001F';

    // Marks, format characters, apostrophes and the like are looked through (Unicode's "case-ignorable").
    private static bool CasedNeighbour(string text, int at, int step)
    {
        for (int i = at + step; i >= 0 && i < text.Length; i += step)
        {
            var category = char.GetUnicodeCategory(text[i]);
            bool ignorable = category is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format
                or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol || text[i] is '\'' or '.' or ':' or '\u00B7' or '\u2019';
            if (!ignorable)
                return category is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter;
        }
        return false;
    }
}
