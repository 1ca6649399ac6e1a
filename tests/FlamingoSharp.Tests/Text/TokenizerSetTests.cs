using System.Text;
using FlamingoSharp.Text;

namespace FlamingoSharp.Tests.Text;

[Trait("Category", "Tokenizers")]
public sealed class TokenizerSetTests
{
    public static TheoryData<string> Sets => [.. TokenizerSets.Names];

    [Theory, MemberData(nameof(Sets))]
    public void Whole_texts_have_the_ids_that_independent_implementations_give(string set)
    {
        var tokenizer = TokenizerSets.Load(set);
        var expected = TokenizerSets.Expected(set);
        Assert.NotEmpty(expected);
        Assert.All(expected, e => Assert.Equal(e.Ids, tokenizer.EncodeWithSpecialTokens(e.Text)));
    }

    [Theory, MemberData(nameof(Sets))]
    public void Plain_text_has_the_same_ids_where_it_spells_no_special_token_and_never_yields_one(string set)
    {
        var tokenizer = TokenizerSets.Load(set);
        HashSet<int> special = [.. tokenizer.Added.Select(t => t.Id)];
        Assert.All(TokenizerSets.Expected(set), e =>
        {
            var plain = tokenizer.Encode(e.Text);
            Assert.DoesNotContain(plain, special.Contains);
            if (!e.Ids.Skip(tokenizer.Prefix.Count).Any(special.Contains))
                Assert.Equal(e.Ids, tokenizer.Prefix.Concat(plain));
        });
    }

    [Theory, MemberData(nameof(Sets))]
    public void Decoding_gives_the_text_back(string set)
    {
        var tokenizer = TokenizerSets.Load(set);
        bool composes = tokenizer.Encode("e\u0301").SequenceEqual(tokenizer.Encode("\u00e9"));
        Assert.All(TokenizerSets.Expected(set), e =>
        {
            string text = composes ? UnicodeComposition.Compose(e.Text) : e.Text;
            Assert.Equal(text, tokenizer.Decode(e.Ids.Skip(tokenizer.Prefix.Count)));
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(e.Text), skipSpecialTokens: true));
        });
    }

    [Theory, MemberData(nameof(Sets))]
    public void Streamed_text_comes_in_whole_characters_and_adds_up(string set)
    {
        var tokenizer = TokenizerSets.Load(set);
        Assert.All(TokenizerSets.Expected(set), e =>
        {
            var stream = tokenizer.DecodeStream(skipSpecialTokens: false);
            string[] pieces = [.. e.Ids.Select(stream.Push), stream.Finish()];
            Assert.Equal(tokenizer.Decode(e.Ids), string.Concat(pieces));
            if (!e.Text.Contains('\uFFFD', StringComparison.Ordinal))
                Assert.All(pieces, p => Assert.DoesNotContain('\uFFFD', p));
            Assert.All(pieces, p => Assert.Equal(p, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(p)))); // no half surrogate pair
        });
    }

    [Theory, MemberData(nameof(Sets))]
    public void A_saved_tokenizer_gives_the_same_ids(string set)
    {
        string folder = Directory.CreateTempSubdirectory("flamingo-tokenizer-").FullName;
        try
        {
            var tokenizer = TokenizerSets.Load(set);
            tokenizer.Save(folder);
            var saved = Tokenizer.Load(folder);
            Assert.Equal(tokenizer.Special, saved.Special);
            Assert.Equal(tokenizer.VocabularySize, saved.VocabularySize);
            Assert.All(TokenizerSets.Expected(set), e => Assert.Equal(e.Ids, saved.EncodeWithSpecialTokens(e.Text)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
