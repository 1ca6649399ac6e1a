using System.Text.RegularExpressions;

namespace FlamingoSharp.Text;

/// <summary>What a chain-of-thought model writes, taken apart by its tags. A tag that is missing or empty is null; the text is always whole.</summary>
public sealed partial record Thought
{
    // Source: SPEC §8.6, the release's chain-of-thought script.
    private const string Reason = "<reasoning>", ReasonEnd = "</reasoning>", ConclusionEnd = "</conclusion>", Resumption = "</REASONING>\n<CONCLUSION>";
    private const int ReasonCharacters = 512;

    private Thought(string text) => Text = text;

    /// <summary>The answer as it was written, tags included.</summary>
    public string Text { get; }

    /// <summary>How the question will be gone about: <c>&lt;SUMMARY&gt;</c>.</summary>
    public string? Summary { get; private init; }

    /// <summary>What is heard: <c>&lt;CAPTION&gt;</c>.</summary>
    public string? Caption { get; private init; }

    /// <summary>The steps to the answer: <c>&lt;REASONING&gt;</c>.</summary>
    public string? Reasoning { get; private init; }

    /// <summary>The answer: <c>&lt;CONCLUSION&gt;</c>.</summary>
    public string? Conclusion { get; private init; }

    /// <summary>
    /// Takes a text apart. Tags are known in any case; what follows an opening tag belongs to it up to the next tag of any kind, so that a
    /// forgotten end loses nothing. The first text that a tag has counts.
    /// </summary>
    /// <param name="text">Anything; no text is an error.</param>
    public static Thought Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var found = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        for (var tag = Tag().Match(text); tag.Success;)
        {
            var next = tag.NextMatch();
            int start = tag.Index + tag.Length;
            string content = TextForms.Strip(text[start..(next.Success ? next.Index : text.Length)]);
            if (!tag.Value.StartsWith("</", StringComparison.Ordinal) && content.Length > 0)
                found.TryAdd(tag.Groups["name"].Value, content);
            tag = next;
        }
        return new Thought(text)
        {
            Summary = found.GetValueOrDefault("summary"),
            Caption = found.GetValueOrDefault("caption"),
            Reasoning = found.GetValueOrDefault("reasoning"),
            Conclusion = found.GetValueOrDefault("conclusion"),
        };
    }

    /// <summary>
    /// How an answer that reasons without coming to a conclusion is to be continued: its reasoning, shortened if it never ended, up to where the
    /// conclusion begins; in lower case. Null if the answer needs no second try.
    /// </summary>
    internal static string? ResumeFrom(string text)
    {
        text = TextForms.Lower(text);
        if (!text.Contains(Reason, StringComparison.Ordinal) || text.Contains(ConclusionEnd, StringComparison.Ordinal))
            return null;
        int end = text.IndexOf(ReasonEnd, StringComparison.Ordinal);
        if (end < 0)
        {
            text = FirstCharacters(text);
            end = text.LastIndexOf('.');
        }
        return (end < 0 ? text : text[..end]) + Resumption;
    }

    // Characters as Python counts them: one for a pair of surrogates.
    private static string FirstCharacters(string text)
    {
        int characters = 0, end = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (characters++ == ReasonCharacters)
                break;
            end += rune.Utf16SequenceLength;
        }
        return characters < ReasonCharacters ? text : TextForms.Strip(text[..end]);
    }

    [GeneratedRegex("</?(?<name>summary|caption|reasoning|conclusion)>", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Tag();
}
