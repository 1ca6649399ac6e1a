using System.Text;

namespace FlamingoSharp.Hub;

/// <summary>Text that a hub sent, made fit for a person's terminal: no control characters, no endless lines.</summary>
internal static class HubText
{
    private const int MostOfLine = 300;

    /// <summary>One line.</summary>
    public static string Line(string text)
    {
        string line = Plain(text).ReplaceLineEndings(" ").Trim();
        return line.Length <= MostOfLine ? line : $"{line[..MostOfLine]}…";
    }

    /// <summary>Several lines.</summary>
    public static string Plain(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var category = Rune.GetUnicodeCategory(rune);
            bool shown = rune.Value is '\n' or '\t'
                || category is not (System.Globalization.UnicodeCategory.Control or System.Globalization.UnicodeCategory.Format or System.Globalization.UnicodeCategory.PrivateUse);
            if (shown)
                plain.Append(rune.ToString());
        }
        return plain.ToString();
    }
}
