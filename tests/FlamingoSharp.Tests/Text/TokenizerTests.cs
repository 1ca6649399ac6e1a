using System.Text.Json.Nodes;
using FlamingoSharp.Text;

namespace FlamingoSharp.Tests.Text;

public sealed class TokenizerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flamingo-tokenizer-").FullName;
    private readonly Tokenizer _mini = TokenizerSets.Load(TokenizerSets.Mini);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_small_models_tokens_are_numbered_as_OPT_numbers_its_own()
    {
        var special = _mini.Special;
        Assert.Equal((new SpecialToken(2, "</s>"), new SpecialToken(2, "</s>"), new SpecialToken(1, "<pad>")), (special.Bos!.Value, special.Eos, special.Pad));
        Assert.Equal([(4100, "<audio>"), (4101, "<|endofchunk|>"), (4102, "<SEP>")],
            new[] { special.Audio, special.EndOfChunk, special.Separator }.Select(t => (t.Id, t.Text)));
        Assert.Equal(4103, _mini.VocabularySize);
        Assert.Equal([2], _mini.Prefix);
    }

    [Theory]
    [InlineData("<audio>")]
    [InlineData("</s><SEP><|endofchunk|>")]
    [InlineData("<pad>")]
    public void A_users_text_cannot_spell_a_special_token(string text)
    {
        var ids = _mini.Encode(text);
        Assert.DoesNotContain(ids, id => id < 4 || id >= 4100);
        Assert.Equal(text, _mini.Decode(ids));
    }

    [Fact]
    public void Special_tokens_are_skipped_on_request()
    {
        int[] ids = [2, .. _mini.Encode("a dog"), 4101, 2];
        Assert.Equal("</s>a dog<|endofchunk|></s>", _mini.Decode(ids));
        Assert.Equal("a dog", _mini.Decode(ids, skipSpecialTokens: true));
    }

    [Fact]
    public void An_emoji_is_streamed_once_its_last_byte_has_come()
    {
        var ids = _mini.Encode("😀"); // four bytes, more than one token
        var stream = _mini.DecodeStream();
        Assert.True(ids.Count > 1);
        Assert.All(ids.SkipLast(1), id => Assert.Equal("", stream.Push(id)));
        Assert.Equal("😀", stream.Push(ids[^1]));
        Assert.Equal("", stream.Finish());
    }

    [Fact]
    public void A_character_cut_off_by_the_end_is_shown_as_unreadable()
    {
        var stream = _mini.DecodeStream();
        Assert.Equal("", stream.Push(_mini.Encode("é")[0] is var id && _mini.Encode("é").Count > 1 ? id : _mini.Encode("\u0416")[0]));
        Assert.Equal("\uFFFD", stream.Finish());
    }

    [Fact]
    public void Half_a_surrogate_pair_is_encoded_as_the_replacement_character() =>
        Assert.Equal(_mini.Encode("a\uFFFDb"), _mini.Encode("a\uD83Db"));

    [Fact]
    public void Ids_outside_the_vocabulary_spell_nothing() => Assert.Equal("", _mini.Decode([-1, 4103, int.MaxValue]));

    // The form of RoBERTa's tokenizer.json: cls and sep around a text, and a mask token that swallows the space before it.
    [Fact]
    public void RoBERTas_texts_stand_between_a_beginning_and_an_end_also_when_saved()
    {
        _mini.Save(_folder);
        string path = Path.Combine(_folder, "tokenizer.json");
        var json = JsonNode.Parse(File.ReadAllText(path))!;
        json["post_processor"] = JsonNode.Parse("""{"type":"RobertaProcessing","sep":["</s>",2],"cls":["<s>",0],"trim_offsets":true,"add_prefix_space":false}""");
        json["added_tokens"]!.AsArray().Add(JsonNode.Parse("""{"id":4103,"content":"<mask>","single_word":false,"lstrip":true,"rstrip":false,"normalized":false,"special":true}"""));
        File.WriteAllText(path, json.ToJsonString());

        var roberta = Tokenizer.Load(_folder);
        int[] expected = [0, .. _mini.Encode("a dog <mask>"), 2];
        Assert.Equal(expected, roberta.EncodeWithSpecialTokens("a dog <mask>"));
        roberta.Save(_folder);
        Assert.Equal(expected, Tokenizer.Load(_folder).EncodeWithSpecialTokens("a dog <mask>"));
        Assert.Equal(4099, roberta.LargestTextId);
    }

    [Fact]
    public void Vocabulary_and_merges_of_OPT_are_read_and_its_unused_entries_counted()
    {
        // OPT's form in small: its four tokens, the bytes, one merge; filled up to the 50,260 entries of a real copy.
        var vocabulary = new JsonObject { ["<s>"] = 0, ["<pad>"] = 1, ["</s>"] = 2, ["<unk>"] = 3 };
        foreach (char c in ByteAlphabet.Characters)
            vocabulary.Add(c.ToString(), vocabulary.Count);
        vocabulary["ab"] = vocabulary.Count;
        while (vocabulary.Count < 50260)
            vocabulary.Add(string.Concat(Enumerable.Repeat("z", 3)) + new string([.. vocabulary.Count.ToString()]), vocabulary.Count);
        File.WriteAllText(Path.Combine(_folder, "vocab.json"), vocabulary.ToJsonString());
        File.WriteAllText(Path.Combine(_folder, "merges.txt"), "#version: 0.2\na b\n");

        var opt = Tokenizer.Load(_folder);
        Assert.Equal((50265, 50266, 50267), (opt.Special.Audio.Id, opt.Special.EndOfChunk.Id, opt.Special.Separator.Id));
        Assert.Equal(50268, opt.VocabularySize);
        Assert.Equal([2, 260, 50265], opt.EncodeWithSpecialTokens("ab<audio>"));
    }

    /// <summary>Ids: SPEC §1.3 of the vectors; the 151,643 entries and 22 special tokens of Qwen2.5 are counted, not copied.</summary>
    [Fact]
    public void Audio_Flamingo_2s_tokens_follow_those_of_Qwen_in_the_order_of_the_reference()
    {
        File.WriteAllText(Path.Combine(_folder, "tokenizer.json"), QwenForm().ToJsonString());
        var qwen = Tokenizer.Load(_folder);
        Assert.Equal([(151665, "<audio>"), (151666, "<|endofchunk|>"), (151667, "<|PAD_TOKEN|>"), (151668, "<SEP>"), (151643, "<|endoftext|>")],
            new[] { qwen.Special.Audio, qwen.Special.EndOfChunk, qwen.Special.Pad, qwen.Special.Separator, qwen.Special.Eos }.Select(t => (t.Id, t.Text)));
        Assert.Null(qwen.Special.Bos);
        Assert.Empty(qwen.Prefix);
        Assert.Equal(151669, qwen.VocabularySize);
        Assert.Equal([151665, 256, 151668], qwen.EncodeWithSpecialTokens("<audio>ab<SEP>"));
    }

    [Fact]
    public void Words_are_cut_and_composed_as_Qwens_file_says()
    {
        File.WriteAllText(Path.Combine(_folder, "tokenizer.json"), QwenForm(("1", "2"), ("Ã", "©")).ToJsonString());
        var qwen = Tokenizer.Load(_folder);
        Assert.Equal(2, qwen.Encode("12").Count); // each digit is a word, so the merge of two never happens
        Assert.Equal([258], qwen.Encode("e\u0301")); // composed to one letter of two bytes, which merge
        Assert.Equal(qwen.Encode("\u00e9"), qwen.Encode("e\u0301"));
    }

    /// <summary>Qwen2.5's file in small: the bytes, a few merges, entries that nothing yields, 22 special tokens, its expression and NFC.</summary>
    private static JsonObject QwenForm(params (string Left, string Right)[] more)
    {
        var merges = new[] { ("a", "b") }.Concat(more).ToList();
        var vocabulary = new JsonObject();
        foreach (string entry in ByteAlphabet.Characters.Select(c => c.ToString()).Concat(merges.Select(m => m.Item1 + m.Item2)))
            vocabulary.Add(entry, vocabulary.Count);
        while (vocabulary.Count < 151643)
            vocabulary.Add("zzz" + vocabulary.Count, vocabulary.Count);
        const string Words =
            @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
        return new JsonObject
        {
            ["added_tokens"] = new JsonArray([.. Enumerable.Range(0, 22).Select(i => new JsonObject
            {
                ["id"] = 151643 + i,
                ["content"] = i == 0 ? "<|endoftext|>" : $"<|special_{i}|>",
                ["special"] = i < 14,
            })]),
            ["normalizer"] = new JsonObject { ["type"] = "NFC" },
            ["pre_tokenizer"] = new JsonObject
            {
                ["type"] = "Sequence",
                ["pretokenizers"] = new JsonArray(
                    new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = Words }, ["behavior"] = "Isolated", ["invert"] = false },
                    new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = false }),
            },
            ["post_processor"] = new JsonObject { ["type"] = "ByteLevel" },
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["vocab"] = vocabulary,
                ["merges"] = new JsonArray([.. merges.Select(m => new JsonArray(m.Item1, m.Item2))]),
            },
        };
    }

    [Fact]
    public void A_folder_without_a_tokenizer_is_named()
    {
        var e = Assert.Throws<FlamingoException>(() => Tokenizer.Load(_folder));
        Assert.Equal(FlamingoErrorKind.Model, e.Kind);
        Assert.Equal($"'{_folder}' holds no tokenizer: expected tokenizer.json, or vocab.json together with merges.txt.", e.Message);
    }

    [Theory]
    [InlineData("{", "is not a Hugging Face tokenizer file")]
    [InlineData("[]", "is not a Hugging Face tokenizer file")]
    [InlineData("{}", "is not a Hugging Face tokenizer file")]
    [InlineData("""{"model":{"type":"Unigram"}}""", "describes a tokenizer with a model of type 'Unigram'; expected byte-level BPE as GPT-2, OPT and Qwen2.5 have it.")]
    [InlineData("""{"model":{"type":"BPE","byte_fallback":true}}""", "the model option 'byte_fallback'")]
    [InlineData("""{"added_tokens":[],"model":{"type":"BPE"},"normalizer":{"type":"NFKC"}}""", "a normalizer of type 'NFKC'")]
    [InlineData("""{"added_tokens":[{"id":0,"content":"<mask>","lstrip":true}],"model":{"type":"BPE"}}""", "the flag 'lstrip' on '<mask>'")]
    public void Another_kind_of_tokenizer_is_refused_by_what_differs(string json, string message)
    {
        File.WriteAllText(Path.Combine(_folder, "tokenizer.json"), json);
        var e = Assert.Throws<FlamingoException>(() => Tokenizer.Load(_folder));
        Assert.Equal(FlamingoErrorKind.Model, e.Kind);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "The tokenizer numbers '<pad>' -1; expected an id from 0 to 16777215.", """{"id":-1,"content":"<pad>"}""")]
    [InlineData("", "The tokenizer numbers '<pad>' 2147483647; expected an id from 0 to 16777215.", """{"id":2147483647,"content":"<pad>"}""")]
    [InlineData("", "lists the special token '<s>' twice, or without a spelling.", """{"id":4,"content":"<s>"}""")]
    [InlineData("", "an added token has no content", """{"id":4}""")]
    [InlineData("""["a"]""", "is not a Hugging Face tokenizer file", """{"id":4,"content":"x"}""")]
    [InlineData("null", "the merge '' is not two entries with a space between", """{"id":4,"content":"x"}""")]
    public void A_corrupt_tokenizer_ends_in_one_clear_error(string merge, string message, string token)
    {
        var root = JsonNode.Parse(File.ReadAllText(Path.Combine(TokenizerSets.Folder(TokenizerSets.Mini), "tokenizer.json")))!;
        root["added_tokens"]!.AsArray().Add(JsonNode.Parse(token));
        if (merge.Length > 0)
            root["model"]!["merges"]!.AsArray().Add(JsonNode.Parse(merge));
        File.WriteAllText(Path.Combine(_folder, "tokenizer.json"), root.ToJsonString());
        var e = Assert.Throws<FlamingoException>(() => Tokenizer.Load(_folder));
        Assert.Equal(FlamingoErrorKind.Model, e.Kind);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tokenizer_that_merges_text_to_a_special_token_is_refused()
    {
        var root = JsonNode.Parse(File.ReadAllText(Path.Combine(TokenizerSets.Folder(TokenizerSets.Mini), "tokenizer.json")))!;
        root["model"]!["vocab"]!["<s"] = 4103;
        foreach (string merge in new[] { "< s", "<s >" })
            root["model"]!["merges"]!.AsArray().Add(merge);
        File.WriteAllText(Path.Combine(_folder, "tokenizer.json"), root.ToJsonString());
        var e = Assert.Throws<FlamingoException>(() => Tokenizer.Load(_folder));
        Assert.Equal("The tokenizer merges plain text to its special token '<s>'.", e.Message);
    }

    [Fact]
    public void Threads_share_a_tokenizer()
    {
        string[] texts = [.. Enumerable.Range(0, 200).Select(i => $"sound {i} of a dog, {i * 7919} times")];
        int[][] one = [.. texts.Select(t => _mini.Encode(t).ToArray())];
        var many = Tokenizer.Load(TokenizerSets.Folder(TokenizerSets.Mini));
        Parallel.For(0, 2000, i => Assert.Equal(one[i % 200], many.Encode(texts[i % 200])));
    }
}
