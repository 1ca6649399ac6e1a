using System.Text.Json;

namespace FlamingoSharp.Text;

/// <summary>A token that is not made by merging: matched as a whole string, never produced from plain text.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Content">Its spelling.</param>
/// <param name="Special">Left out when a decoder skips special tokens.</param>
internal sealed record AddedToken(int Id, string Content, bool Special = true);

/// <summary>
/// What defines a byte-level BPE tokenizer, read from Hugging Face's files and written in their form: the one description that
/// every other part of the tokenizer is built from.
/// </summary>
internal sealed partial record TokenizerFile
{
    /// <summary>How GPT-2 and OPT cut a text into words before merging; the same expression as in Hugging Face's ByteLevel.</summary>
    public const string Gpt2Words = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>The file that <see cref="Write"/> makes and <see cref="Read"/> prefers.</summary>
    public const string Name = "tokenizer.json";

    private const string Roberta = "RobertaProcessing";

    // OPT numbers 50,265 entries; copies of its vocab.json may leave out the last five, which are unused.
    private const int OptEntries = 50265;
    private const int OptEntriesInUse = 50260;

    /// <summary>Entry, in the byte alphabet, to id.</summary>
    public required IReadOnlyDictionary<string, int> Vocabulary { get; init; }

    /// <summary>Pairs to merge, the most urgent first.</summary>
    public required IReadOnlyList<(string Left, string Right)> Merges { get; init; }

    /// <summary>Tokens outside the merges, in the order of their ids.</summary>
    public required IReadOnlyList<AddedToken> Added { get; init; }

    /// <summary>The expression that cuts a text into words.</summary>
    public string Words { get; init; } = Gpt2Words;

    /// <summary>Text is brought to Unicode's canonical composed form (NFC) first, as Qwen does.</summary>
    public bool Compose { get; init; }

    /// <summary>Tokens that every encoding of a whole text begins with: `&lt;/s&gt;` for OPT, none for Qwen.</summary>
    public IReadOnlyList<string> Prefix { get; init; } = [];

    /// <summary>Tokens that every encoding of a whole text ends with: `&lt;/s&gt;` for RoBERTa.</summary>
    public IReadOnlyList<string> Suffix { get; init; } = [];

    /// <summary>Reads `tokenizer.json`, or else `vocab.json` and `merges.txt`, of a folder.</summary>
    /// <exception cref="FlamingoException">The files are missing, corrupt, or describe another kind of tokenizer.</exception>
    public static TokenizerFile Read(string folder)
    {
        string json = Path.Combine(folder, Name), vocabulary = Path.Combine(folder, "vocab.json"), merges = Path.Combine(folder, "merges.txt");
        if (File.Exists(json))
            return Parse(json, ReadJson);
        if (!File.Exists(vocabulary) || !File.Exists(merges))
        {
            throw new FlamingoException(FlamingoErrorKind.Model,
                $"'{folder}' holds no tokenizer: expected {Name}, or vocab.json together with merges.txt.");
        }
        return Parse(vocabulary, root => VocabularyAndMerges(root, File.ReadLines(merges), merges));
    }

    /// <summary>
    /// The same tokenizer with the tokens that Audio Flamingo adds, numbered from the end in the order of the reference; those present stay.
    /// </summary>
    public TokenizerFile WithFlamingoTokens()
    {
        var added = new List<AddedToken>(Added);
        int next = Vocabulary.Values.Concat(Added.Select(t => t.Id)).Max() + 1;
        if (Prefix.Contains("</s>") && Vocabulary.Count is >= OptEntriesInUse and < OptEntries)
            next = Math.Max(next, OptEntries);
        string pad = added.Exists(t => t.Content == "<pad>") ? "<pad>" : "<|PAD_TOKEN|>";
        foreach (string token in new[] { "<audio>", "<|endofchunk|>", pad, "<SEP>" })
        {
            if (!added.Exists(t => t.Content == token))
                added.Add(new AddedToken(next++, token));
        }
        return this with { Added = added };
    }

    private static TokenizerFile Parse(string path, Func<JsonElement, TokenizerFile> read)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException or IndexOutOfRangeException)
        {
            throw new FlamingoException(FlamingoErrorKind.Model, $"'{path}' is not a Hugging Face tokenizer file: {e.Message}", e);
        }
        catch (UnsupportedTokenizerException e)
        {
            throw new FlamingoException(FlamingoErrorKind.Model,
                $"'{path}' describes a tokenizer with {e.Message}; expected byte-level BPE as GPT-2, OPT and Qwen2.5 have it.", e);
        }
    }

    private static TokenizerFile VocabularyAndMerges(JsonElement root, IEnumerable<string> lines, string mergesPath)
    {
        var vocabulary = ReadVocabulary(root);
        bool opt = vocabulary.ContainsKey("</s>");
        // Without a tokenizer.json nothing says how words are cut, so only the two vocabularies that are known to be cut as GPT-2 does pass.
        Require(opt || vocabulary.ContainsKey("<|endoftext|>"), "neither OPT's '</s>' nor GPT-2's '<|endoftext|>'");
        return new TokenizerFile
        {
            Vocabulary = vocabulary,
            Merges = ReadMerges(lines, mergesPath),
            Added = [.. new[] { "<s>", "<pad>", "</s>", "<unk>", "<|endoftext|>" }
                .Where(vocabulary.ContainsKey).Select(t => new AddedToken(vocabulary[t], t)).OrderBy(t => t.Id)],
            Prefix = opt ? ["</s>"] : [],
        };
    }

    /// <summary>Reads the lines of a merges.txt: two entries with a space between; a first line may state the version.</summary>
    public static IReadOnlyList<(string Left, string Right)> ReadMerges(IEnumerable<string> lines, string path) =>
        [.. lines.Where(l => l.Length > 0 && !l.StartsWith("#version", StringComparison.Ordinal)).Select(l => SplitMerge(l)
            ?? throw new FlamingoException(FlamingoErrorKind.Model, $"'{path}': the merge '{l}' is not two entries with a space between."))];

    private static TokenizerFile ReadJson(JsonElement root)
    {
        var model = root.GetProperty("model");
        Require(Text(model, "type") == "BPE", $"a model of type '{Text(model, "type")}'");
        foreach (string flag in new[] { "byte_fallback", "ignore_merges" })
            Require(!Flag(model, flag), $"the model option '{flag}'");

        var added = new List<AddedToken>();
        foreach (var token in root.GetProperty("added_tokens").EnumerateArray())
        {
            string content = Text(token, "content") ?? throw new FormatException("an added token has no content");
            if (content == "<mask>") // of RoBERTa's training; no text spells it, so that the space it swallows does not matter
                continue;
            foreach (string flag in new[] { "single_word", "lstrip", "rstrip" })
                Require(!Flag(token, flag), $"the flag '{flag}' on '{content}'");
            added.Add(new AddedToken(token.GetProperty("id").GetInt32(), content, Flag(token, "special")));
        }

        string? normalizer = Optional(root, "normalizer") is { } n ? Text(n, "type") : null;
        Require(normalizer is null or "NFC", $"a normalizer of type '{normalizer}'");

        return new TokenizerFile
        {
            Vocabulary = ReadVocabulary(model.GetProperty("vocab")),
            Merges = [.. model.GetProperty("merges").EnumerateArray().Select(ReadMerge)],
            Added = [.. added.OrderBy(t => t.Id)],
            Compose = normalizer == "NFC",
            Words = ReadWords(root.GetProperty("pre_tokenizer")),
            Prefix = Optional(root, "post_processor") is { } p ? ReadPrefix(p) : [],
            Suffix = Optional(root, "post_processor") is { } q && Text(q, "type") == Roberta ? [q.GetProperty("sep")[0].GetString()!] : [],
        };
    }

    private static Dictionary<string, int> ReadVocabulary(JsonElement vocabulary) =>
        vocabulary.EnumerateObject().ToDictionary(v => v.Name, v => v.Value.GetInt32(), StringComparer.Ordinal);

    private static (string, string) ReadMerge(JsonElement merge)
    {
        if (merge.ValueKind == JsonValueKind.Array && merge[0].GetString() is { } left && merge[1].GetString() is { } right)
            return (left, right);
        return SplitMerge(merge.GetString() ?? "") ?? throw new FormatException($"the merge '{merge}' is not two entries with a space between");
    }

    private static (string, string)? SplitMerge(string line)
    {
        int space = line.IndexOf(' ', StringComparison.Ordinal);
        return space > 0 && space < line.Length - 1 && line.IndexOf(' ', space + 1) < 0 ? (line[..space], line[(space + 1)..]) : null;
    }

    private static string ReadWords(JsonElement preTokenizer)
    {
        JsonElement[] steps = Text(preTokenizer, "type") == "Sequence"
            ? [.. preTokenizer.GetProperty("pretokenizers").EnumerateArray()]
            : [preTokenizer];
        string found = string.Join(" + ", steps.Select(s => Text(s, "type")));
        Require(found is "ByteLevel" or "Split + ByteLevel", $"the pre-tokenizer {found}");
        Require(!Flag(steps[^1], "add_prefix_space"), "a space put in front of every text");
        if (steps.Length == 1)
        {
            Require(!steps[0].TryGetProperty("use_regex", out var regex) || regex.GetBoolean(), "no words (use_regex false)");
            return Gpt2Words;
        }
        bool known = Text(steps[0], "behavior") == "Isolated" && !Flag(steps[0], "invert") && !Flag(steps[1], "use_regex");
        Require(known, "an unknown way to split words");
        return Text(steps[0].GetProperty("pattern"), "Regex") ?? throw new UnsupportedTokenizerException("words split by something else than an expression");
    }

    private static string[] ReadPrefix(JsonElement processor)
    {
        switch (Text(processor, "type"))
        {
            case "ByteLevel": // concerns offsets only
                return [];
            case "Sequence":
                return [.. processor.GetProperty("processors").EnumerateArray().SelectMany(ReadPrefix)];
            case Roberta:
                return [processor.GetProperty("cls")[0].GetString()!];
            case "TemplateProcessing":
                JsonElement[] single = [.. processor.GetProperty("single").EnumerateArray()];
                Require(single[^1].TryGetProperty("Sequence", out _), "tokens after the text");
                return [.. single[..^1].Select(s => Text(s.GetProperty("SpecialToken"), "id") ?? throw new FormatException("a special token has no id"))];
            default:
                throw new UnsupportedTokenizerException($"a post-processor of type '{Text(processor, "type")}'");
        }
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
            throw new UnsupportedTokenizerException(otherwise);
    }

    private static JsonElement? Optional(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string? Text(JsonElement parent, string name) => Optional(parent, name)?.GetString();

    private static bool Flag(JsonElement parent, string name) => Optional(parent, name)?.GetBoolean() ?? false;

    private sealed class UnsupportedTokenizerException(string message) : Exception(message);
}
