using FlamingoSharp.Text;

namespace FlamingoSharp.Training.Data;

/// <summary>
/// Makes the small tokenizer of flamingo-mini: the first merges of the GPT-2 list, numbered as OPT numbers its own (four special
/// tokens, the 256 bytes, one entry a merge, then the tokens of Audio Flamingo in the order of AF1).
/// </summary>
public static class MiniTokenizer
{
    /// <summary>Merges of the shipped tokenizer; with them it has 4,103 entries.</summary>
    public const int DefaultMerges = 3840;

    /// <summary>Writes a tokenizer.json in Hugging Face's form.</summary>
    /// <param name="mergesFile">A merges.txt of GPT-2 (or OPT, which has the same).</param>
    /// <param name="count">How many merges to keep, from the first.</param>
    /// <param name="outFile">The file to write.</param>
    /// <exception cref="FlamingoException">The list is shorter than <paramref name="count"/> or is not a list of merges.</exception>
    public static void Build(string mergesFile, int count, string outFile)
    {
        var merges = TokenizerFile.ReadMerges(File.ReadLines(mergesFile), mergesFile);
        if (count < 0 || count > merges.Count)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{mergesFile}' holds {merges.Count} merges, but {count} were asked for.");
        Create([.. merges.Take(count)]).Write(outFile);
    }

    internal static TokenizerFile Create(IReadOnlyList<(string Left, string Right)> merges)
    {
        string[] special = ["<s>", "<pad>", "</s>", "<unk>"];
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string entry in special.Concat(ByteAlphabet.Characters.Select(c => c.ToString())).Concat(merges.Select(m => m.Left + m.Right)))
            vocabulary.TryAdd(entry, vocabulary.Count);
        return new TokenizerFile
        {
            Vocabulary = vocabulary,
            Merges = merges,
            Added = [.. special.Select(t => new AddedToken(vocabulary[t], t))],
            Prefix = ["</s>"],
        }.WithFlamingoTokens();
    }
}
