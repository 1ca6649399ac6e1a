using System.Text.RegularExpressions;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>Cuts captions into the words that caption metrics count: Penn Treebank tokens in lower case, without punctuation.</summary>
/// <remarks>
/// A port of the behaviour, not of the code, of Stanford's PTBTokenizer as coco-caption and aac-metrics call it
/// (<c>-preserveLines -lowerCase</c>), for English captions. What is kept: contractions are cut (<c>don't</c> → <c>do n't</c>,
/// <c>cannot</c> → <c>can not</c>), hyphens and slashes join words, numbers keep inner points, commas, colons and slashes, abbreviations keep
/// their full stop, several marks in a row (<c>?!</c>) are a token that is not dropped. What is not ported: American spelling of British words,
/// emoticons, markup, telephone numbers. Source of the list of dropped tokens: coco-caption.
/// </remarks>
public static partial class PtbTokenizer
{
    private const string Capitalised =
        "Mr|Mrs|Ms|Drs?|Profs?|Sens?|Reps?|Lt|Col|Gen|Govs?|Rev|Maj|Sgt|Cpl|Pvt|Capt|Ste?|Ave|Pres|Hon|Mt|Ft|Jr|Sr|Bros|Esq|Messrs"
        + "|Inc|Cos?|Corp|Pty|Ltd|Plc|Dept|Univ|Assn|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Mon|Tues?|Wed|Thu|Thurs|Fri";

    private static readonly HashSet<string> s_dropped =
        ["''", "'", "``", "`", "-lrb-", "-rrb-", "-lcb-", "-rcb-", ".", "?", "!", ",", ":", "-", "--", "...", ";"];

    private static readonly Dictionary<string, string> s_names = new()
    {
        ["("] = "-lrb-",
        [")"] = "-rrb-",
        ["{"] = "-lcb-",
        ["}"] = "-rcb-",
        ["["] = "-lsb-",
        ["]"] = "-rsb-",
        ["\""] = "''",
        ["“"] = "``",
        ["”"] = "''",
        ["…"] = "...",
        ["&amp;"] = "&",
    };

    /// <summary>The words of a caption.</summary>
    /// <param name="text">One caption; line breaks count as spaces.</param>
    public static IReadOnlyList<string> Tokenize(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var words = new List<string>();
        foreach (Match match in Token().Matches(Unified(text)))
        {
            string token = s_names.GetValueOrDefault(match.Value, match.Value).ToLowerInvariant();
            if (Dashes().IsMatch(token))
                token = "--";
            else if (Points().IsMatch(token))
                token = "...";
            if (!s_dropped.Contains(token))
                words.Add(token);
        }
        return words;
    }

    // Typographic apostrophes are apostrophes; soft hyphens are nothing.
    private static string Unified(string text) => text.Replace('’', '\'').Replace('‘', '\'').Replace('\u0092', '\'').Replace("\u00AD", "", StringComparison.Ordinal);

    [GeneratedRegex(@"^(?:-{2,}|[–—―]+)$")]
    private static partial Regex Dashes();

    [GeneratedRegex(@"^\.{2,}$")]
    private static partial Regex Points();

    // The first alternative that fits is taken; where none does, a single character is a token.
    [GeneratedRegex($$"""
        (?:https?|ftp)://[^\s"<>]*[^\s"<>.,;:!?)\]]
        | [\w.+-]+@[\w-]+(?:\.[\w-]+)+
        | (?<![\w.])(?:[\w-]+\.)+(?:com|net|org|edu|gov|mp3|wav|txt|pdf|jpg|png|html)(?![\w-])
        | &amp;
        | (?<![\w.])\p{L}(?:\.\p{L})+(?![\w])\.?                                      # u.s. p.m.
        | (?<![\w'-])(?:{{Capitalised}}|ca|etc|vs|al)\.(?!\w)                          # dr. etc.
        | (?<![\w'-])Ph\.D(?!\w)\.?
        | (?<!\w)(?:US|HK|NZ|AU|CA?)\$
        | (?<![\w'-])[Nn]o\.(?=\s?\d)                                                 # no. 5
        | (?<![\w'.-])[A-Z]\.(?=\s*\S)                                                # initials
        | (?<!\w)'(?:[nN]'|[eE][mM]|[tT]il|[cC]ause|\d\d[sS]?)(?!\w)                  # 'n' 'em 'til 'cause '90s
        | (?<!\w)'[tT](?=(?:is|was)\b)                                                # 't is
        | \b(?:[cC]an(?=not\b)|[gG]on(?=na\b)|[gG]ot(?=ta\b)|[wW]an(?=na\b)|[gG]im(?=me\b)|[lL]em(?=me\b))
        | \b(?:[oO]'[cC]lock|[mM]a'am|[oOdDlL]'\p{Lu}\p{L}+)\b
        | \b[yY]'(?=all\b)
        | [nN]'[tT](?!\w)                                                             # n't
        | (?<=\w)'(?:[sSmMdD]|[rR][eE]|[vV][eE]|[lL][lL])(?!\w)                       # 's 've
        | \p{Lu}+&\p{Lu}+                                                             # R&B
        | \d{1,2}(?::\d\d)+
        | (?<![\w.])[+-]?(?:\d+(?:[.,]\d+)*|[.]\d+)(?:/\d+(?:[.,]\d+)*)?(?![\w-])     # 1,000 0.5 -5 1/2
        | [\p{L}\p{M}\p{N}_]+(?:[-/][\p{L}\p{M}\p{N}_]+)*?(?=[nN]'[tT](?!\w))         # do|n't
        | (?:\d+(?:[.,]\d+)+|[\p{L}\p{M}\p{N}_]+)(?:[-/][\p{L}\p{M}\p{N}_]+)*          # words, hyphens and slashes within
        | -{2,} | \.{2,}(?:\s\.)* | [?!]{2,} | '' | `` | [–—―]+
        | \S
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.CultureInvariant)]
    private static partial Regex Token();
}
