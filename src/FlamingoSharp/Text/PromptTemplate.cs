namespace FlamingoSharp.Text;

/// <summary>
/// A line of a template: text with slots in braces. <c>{bos}</c>, <c>{eos}</c>, <c>{sep}</c>, <c>{end}</c> and <c>{sound}</c> are
/// structure; every other slot is filled with plain text.
/// </summary>
internal static class PromptTemplate
{
    /// <summary>Fills a template.</summary>
    /// <param name="template">The line, one of ours: never a user's text.</param>
    /// <param name="sounds">How many sounds stand in a sound slot.</param>
    /// <param name="texts">What to put in the other slots; braces in it mean nothing.</param>
    public static IEnumerable<PromptPart> Fill(string template, int sounds, params (string Slot, string Text)[] texts)
    {
        int at = 0;
        while (at < template.Length)
        {
            int open = template.IndexOf('{', at);
            if (open < 0)
                open = template.Length;
            yield return new TextPart(template[at..open]);
            if (open == template.Length)
                yield break;
            int close = template.IndexOf('}', open);
            string slot = template[(open + 1)..close];
            at = close + 1;
            if (slot == "sound")
            {
                for (int i = 0; i < sounds; i++)
                    yield return new SoundPart();
            }
            else
            {
                yield return slot switch
                {
                    "bos" => new TokenPart(TokenRole.Bos),
                    "eos" => new TokenPart(TokenRole.Eos),
                    "sep" => new TokenPart(TokenRole.Separator),
                    "end" => new TokenPart(TokenRole.EndOfChunk),
                    _ => new TextPart(texts.First(t => t.Slot == slot).Text),
                };
            }
        }
    }
}
