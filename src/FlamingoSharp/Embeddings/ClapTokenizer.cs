using FlamingoSharp.Runtime;
using FlamingoSharp.Text;
using static TorchSharp.torch;

namespace FlamingoSharp.Embeddings;

/// <summary>Spells texts for a text tower: beginning, the text's tokens, end, as RoBERTa has it.</summary>
/// <remarks>Shapes: b texts, t tokens of the longest.</remarks>
internal sealed class ClapTokenizer
{
    private readonly Tokenizer _tokenizer;
    private readonly int _begin;
    private readonly int _end;
    private readonly int _pad;
    private readonly int _longest;
    private readonly bool _lowerCase;

    /// <exception cref="FlamingoException">The tokenizer lacks one of the three tokens, or has more entries than the tower has rows.</exception>
    public ClapTokenizer(Tokenizer tokenizer, ClapConfig config)
    {
        var options = config.Text ?? throw new ArgumentException("The model reads no text.", nameof(config));
        (_tokenizer, _longest, _lowerCase) = (tokenizer, options.MaxTokens, config.LowerCase);
        (_begin, _end, _pad) = (Id("<s>"), Id("</s>"), Id("<pad>"));
        if (tokenizer.LargestTextId >= options.VocabularySize)
        {
            throw new FlamingoException(FlamingoErrorKind.Model,
                $"The tokenizer spells texts with ids up to {tokenizer.LargestTextId} but the text tower has {options.VocabularySize} rows. The two do not belong together.");
        }

        int Id(string token) => tokenizer.Added.FirstOrDefault(t => t.Content == token)?.Id ?? throw new FlamingoException(FlamingoErrorKind.Model,
            $"The tokenizer has no token {token}, which a text tower of CLAP needs. Give the folder of the tokenizer that it was trained with: RoBERTa's for LAION-CLAP.");
    }

    /// <summary>A text's ids; one that is too long loses its end.</summary>
    public IReadOnlyList<int> Encode(string text) =>
        [_begin, .. _tokenizer.Encode(_lowerCase ? text.ToLowerInvariant() : text).Take(_longest - 2), _end];

    /// <summary>Texts as a batch, padded to the longest.</summary>
    /// <returns>int64 [b, t] and bool [b, t], false for padding.</returns>
    public (Tensor Ids, Tensor Attend) Batch(IReadOnlyList<IReadOnlyList<int>> texts)
    {
        using var scope = NewDisposeScope();
        int length = texts.Max(t => t.Count);
        long[] rows = new long[texts.Count * length];
        Array.Fill(rows, _pad);
        for (int row = 0; row < texts.Count; row++)
        {
            for (int i = 0; i < texts[row].Count; i++)
                rows[row * length + i] = texts[row][i];
        }
        var ids = tensor(rows, [texts.Count, length]);
        return (ids.MoveToOuterDisposeScope(), ids.IsNot(_pad).MoveToOuterDisposeScope());
    }
}
