using System.Globalization;
using System.Text;

namespace FlamingoSharp.Text;

/// <summary>Unicode's canonical composed form (NFC), which Qwen's tokenizer brings every text to.</summary>
/// <remarks>
/// Not string.Normalize: in the invariant mode, in which .NET runs where ICU is not installed, that returns its input, and the
/// tokens would silently differ from one machine to the next. Source: Unicode Standard Annex #15.
/// </remarks>
internal static class UnicodeComposition
{
    private const int FirstAffected = 0x300; // no character below takes part in a change
    private const int SyllableBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TailBase = 0x11A7;
    private const int Leads = 19, Vowels = 21, Tails = 28, Syllables = Leads * Vowels * Tails;

    private static readonly Lazy<Tables> Data = new(Tables.Read);

    /// <summary>Composes a well-formed text.</summary>
    public static string Compose(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange((char)FirstAffected, char.MaxValue) < 0)
            return text;

        var tables = Data.Value;
        var runes = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
            Decompose(rune.Value, tables, runes);
        Order(runes, tables);

        var result = new StringBuilder(text.Length);
        foreach (int rune in Join(runes, tables))
            result.Append(new Rune(rune).ToString());
        return result.ToString();
    }

    private static void Decompose(int rune, Tables tables, List<int> into)
    {
        int syllable = rune - SyllableBase;
        if (syllable is >= 0 and < Syllables)
        {
            into.Add(LeadBase + syllable / (Vowels * Tails));
            into.Add(VowelBase + syllable % (Vowels * Tails) / Tails);
            if (syllable % Tails != 0)
                into.Add(TailBase + syllable % Tails);
        }
        else if (tables.Decompositions.TryGetValue(rune, out int[]? parts))
        {
            foreach (int part in parts)
                Decompose(part, tables, into);
        }
        else
        {
            into.Add(rune);
        }
    }

    // Marks between two starters are put in the order of their classes; equal classes keep theirs.
    private static void Order(List<int> runes, Tables tables)
    {
        for (int i = 1; i < runes.Count; i++)
        {
            int mark = runes[i], rank = tables.Class(mark), j = i;
            for (; rank != 0 && j > 0 && tables.Class(runes[j - 1]) > rank; j--)
                runes[j] = runes[j - 1];
            runes[j] = mark;
        }
    }

    // A character joins the last starter unless a character between them has the same class or a higher one.
    private static List<int> Join(List<int> runes, Tables tables)
    {
        var joined = new List<int>(runes.Count);
        int starter = -1, highest = 0;
        foreach (int rune in runes)
        {
            int rank = tables.Class(rune);
            bool adjacent = starter >= 0 && starter == joined.Count - 1;
            if (starter >= 0 && (adjacent || highest < rank) && Pair(joined[starter], rune, tables) is { } composite)
            {
                joined[starter] = composite;
                continue;
            }
            joined.Add(rune);
            (starter, highest) = rank == 0 ? (joined.Count - 1, 0) : (starter, rank);
        }
        return joined;
    }

    private static int? Pair(int first, int second, Tables tables)
    {
        int lead = first - LeadBase, vowel = second - VowelBase;
        if (lead is >= 0 and < Leads && vowel is >= 0 and < Vowels)
            return SyllableBase + (lead * Vowels + vowel) * Tails;
        int syllable = first - SyllableBase, tail = second - TailBase;
        if (syllable is >= 0 and < Syllables && syllable % Tails == 0 && tail is > 0 and < Tails)
            return first + tail;
        return tables.Compositions.TryGetValue((first, second), out int composite) ? composite : null;
    }

    private sealed class Tables
    {
        private readonly Dictionary<int, byte> _classes = [];

        public Dictionary<int, int[]> Decompositions { get; } = [];

        public Dictionary<(int, int), int> Compositions { get; } = [];

        public int Class(int rune) => rune < FirstAffected ? 0 : _classes.GetValueOrDefault(rune);

        public static Tables Read()
        {
            var tables = new Tables();
            using var stream = typeof(UnicodeComposition).Assembly.GetManifestResourceStream("FlamingoSharp.Text.UnicodeComposition.txt")!;
            using var reader = new StreamReader(stream, Encoding.ASCII);
            while (reader.ReadLine() is { } line)
            {
                if (!line.StartsWith('#'))
                    tables.Add(line);
            }
            return tables;
        }

        private void Add(string line)
        {
            int sign = line.AsSpan().IndexOfAny('=', '>');
            if (sign < 0)
            {
                string[] fields = line.Split(' ');
                string[] range = fields[0].Split('-');
                for (int rune = Hex(range[0]); rune <= Hex(range[^1]); rune++)
                    _classes[rune] = byte.Parse(fields[1], CultureInfo.InvariantCulture);
                return;
            }
            int whole = Hex(line[..sign]);
            int[] parts = [.. line[(sign + 1)..].Split(' ').Select(Hex)];
            Decompositions[whole] = parts;
            if (line[sign] == '=')
                Compositions[(parts[0], parts[1])] = whole;
        }

        private static int Hex(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
