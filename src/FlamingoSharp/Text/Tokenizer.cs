using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;

namespace FlamingoSharp.Text;

/// <summary>
/// Byte-level BPE as GPT-2, OPT and Qwen2.5 have it, read from Hugging Face's files, with the tokens that Audio Flamingo adds.
/// </summary>
/// <remarks>Safe for use by several threads at once.</remarks>
public sealed partial class Tokenizer
{
    private const int LargestId = (1 << 24) - 1; // far above any vocabulary; bounds what a corrupt file can allocate

    private readonly TokenizerFile _file;
    private readonly BpeTokenizer _merging;
    private readonly Regex _added;
    private readonly Dictionary<string, int> _addedIds;
    private readonly HashSet<int> _skipped;
    private readonly byte[]?[] _bytes;

    internal Tokenizer(TokenizerFile file)
    {
        Validate(file);
        _file = file;
        _addedIds = file.Added.ToDictionary(t => t.Content, t => t.Id, StringComparer.Ordinal);
        _skipped = [.. file.Added.Where(t => t.Special).Select(t => t.Id)];
        // The longest wins where several begin at the same place, as in Hugging Face's matcher.
        var longestFirst = file.Added.OrderByDescending(t => t.Content.Length).Select(t => Regex.Escape(t.Content));
        _added = new Regex(string.Join('|', longestFirst), RegexOptions.CultureInvariant);
        Special = SpecialTokens.Of(file);
        Prefix = [.. file.Prefix.Select(p => _addedIds[p])];
        VocabularySize = file.Vocabulary.Values.Concat(_addedIds.Values).Max() + 1;
        _bytes = Spell(file, VocabularySize);
        try
        {
            _merging = BpeTokenizer.Create(new BpeOptions(file.Vocabulary)
            {
                Merges = file.Merges.Select(m => $"{m.Left} {m.Right}"),
                ByteLevel = true,
                PreTokenizer = new WordSplitter(
                    file.Words == TokenizerFile.Gpt2Words ? Gpt2Words() : new Regex(file.Words, RegexOptions.CultureInvariant)),
            });
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            throw new FlamingoException(FlamingoErrorKind.Model, $"The tokenizer's vocabulary, merges and words do not fit together: {e.Message}", e);
        }
    }

    /// <summary>The tokens that give a prompt its structure.</summary>
    public SpecialTokens Special { get; }

    /// <summary>Tokens that every encoding of a whole text begins with: <c>&lt;/s&gt;</c> for OPT, none for Qwen.</summary>
    public IReadOnlyList<int> Prefix { get; }

    /// <summary>Rows that an embedding needs: the largest id plus one, added tokens included.</summary>
    public int VocabularySize { get; }

    /// <summary>The largest id that <see cref="Encode"/> can give.</summary>
    internal int LargestTextId => _file.Vocabulary.Values.Max();

    /// <summary>Every token that only structure, or its spelling in <see cref="EncodeWithSpecialTokens"/>, produces.</summary>
    internal IReadOnlyList<AddedToken> Added => _file.Added;

    /// <summary>
    /// Reads <c>tokenizer.json</c>, or <c>vocab.json</c> with <c>merges.txt</c>. Tokens of Audio Flamingo that are missing are
    /// added at the end in the order of the reference.
    /// </summary>
    /// <param name="folder">A folder in Hugging Face's form, or one of our model folders.</param>
    /// <exception cref="FlamingoException">The files are missing, corrupt, or describe another kind of tokenizer.</exception>
    public static Tokenizer Load(string folder) => new(TokenizerFile.Read(folder).WithFlamingoTokens());

    /// <summary>Writes <c>tokenizer.json</c> in Hugging Face's form, added tokens included.</summary>
    /// <param name="folder">An existing folder.</param>
    public void Save(string folder) => _file.Write(Path.Combine(folder, TokenizerFile.Name));

    /// <summary>Encodes plain text, such as a user's: it never yields a special token, whatever it spells; no <see cref="Prefix"/>.</summary>
    public IReadOnlyList<int> Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length == 0 ? [] : _merging.EncodeToIds(WellFormed(text));
    }

    /// <summary>
    /// Encodes a whole text as Hugging Face does: <see cref="Prefix"/> first, and a special token wherever one is spelled. Not for a user's text.
    /// </summary>
    public IReadOnlyList<int> EncodeWithSpecialTokens(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>(Prefix);
        int end = 0;
        for (var match = _added.Match(text); match.Success; match = match.NextMatch())
        {
            ids.AddRange(Encode(text[end..match.Index]));
            ids.Add(_addedIds[match.Value]);
            end = match.Index + match.Length;
        }
        ids.AddRange(Encode(text[end..]));
        ids.AddRange(_file.Suffix.Select(s => _addedIds[s]));
        return ids;
    }

    /// <summary>The text that tokens spell; bytes that are no UTF-8 become U+FFFD.</summary>
    /// <param name="ids">Tokens; those outside the vocabulary spell nothing.</param>
    /// <param name="skipSpecialTokens">Leave special tokens out instead of spelling them.</param>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = false) =>
        Encoding.UTF8.GetString([.. ids.SelectMany(id => Bytes(id, skipSpecialTokens))]);

    /// <summary>
    /// The answer in a generated sequence: what follows the last <c>&lt;SEP&gt;</c>, without end, padding and end-of-chunk tokens.
    /// </summary>
    /// <param name="ids">The whole sequence, or only what was generated.</param>
    public string DecodeAnswer(IReadOnlyList<int> ids)
    {
        int start = 0;
        for (int i = 0; i < ids.Count; i++)
        {
            if (ids[i] == Special.Separator.Id)
                start = i + 1;
        }
        return Decode(ids.Skip(start).Where(id => id != Special.Eos.Id && id != Special.Pad.Id && id != Special.EndOfChunk.Id));
    }

    /// <summary>Decodes tokens as they are generated.</summary>
    /// <param name="skipSpecialTokens">Leave special tokens out instead of spelling them.</param>
    public StreamingDecoder DecodeStream(bool skipSpecialTokens = true) => new(this, skipSpecialTokens);

    internal byte[] Bytes(int id, bool skipSpecialTokens) =>
        (uint)id >= (uint)_bytes.Length || (skipSpecialTokens && _skipped.Contains(id)) ? [] : _bytes[id] ?? [];

    private static void Validate(TokenizerFile file)
    {
        static FlamingoException Defect(string what) => new(FlamingoErrorKind.Model, $"The tokenizer {what}.");
        foreach (var (entry, id) in file.Vocabulary.Concat(file.Added.Select(t => KeyValuePair.Create(t.Content, t.Id))))
        {
            if (id is < 0 or > LargestId)
                throw Defect($"numbers '{entry}' {id}; expected an id from 0 to {LargestId}");
        }
        var added = new HashSet<string>(StringComparer.Ordinal);
        foreach (var token in file.Added)
        {
            if (token.Content.Length == 0 || !added.Add(token.Content))
                throw Defect($"lists the special token '{token.Content}' twice, or without a spelling");
        }
        if (file.Prefix.Concat(file.Suffix).FirstOrDefault(p => !added.Contains(p)) is { } unknown)
            throw Defect($"puts '{unknown}' around every text, which is none of its special tokens");
        foreach (var (left, right) in file.Merges)
        {
            if (added.Contains(left + right))
                throw Defect($"merges plain text to its special token '{left + right}'");
        }
    }

    private static byte[]?[] Spell(TokenizerFile file, int size)
    {
        var bytes = new byte[]?[size];
        foreach (var (entry, id) in file.Vocabulary)
        {
            bytes[id] = ByteAlphabet.Decode(entry)
                ?? throw new FlamingoException(FlamingoErrorKind.Model,
                    $"The vocabulary entry '{entry}' is not spelled in the byte alphabet of GPT-2.");
        }
        foreach (var token in file.Added)
            bytes[token.Id] = Encoding.UTF8.GetBytes(token.Content);
        return bytes;
    }

    // Half a surrogate pair has no UTF-8; it becomes U+FFFD, as everywhere in .NET.
    private string WellFormed(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') >= 0)
            text = string.Concat(text.EnumerateRunes());
        return _file.Compose ? UnicodeComposition.Compose(text) : text;
    }

    [GeneratedRegex(TokenizerFile.Gpt2Words, RegexOptions.CultureInvariant)]
    private static partial Regex Gpt2Words();
}
