using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FlamingoSharp.Text;

/// <content>How the description is written.</content>
internal sealed partial record TokenizerFile
{
    /// <summary>Writes `tokenizer.json` in Hugging Face's form.</summary>
    /// <param name="path">The file to write.</param>
    public void Write(string path)
    {
        var root = new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray([.. Added.Select(t => new JsonObject
            {
                ["id"] = t.Id,
                ["content"] = t.Content,
                ["single_word"] = false,
                ["lstrip"] = false,
                ["rstrip"] = false,
                ["normalized"] = false,
                ["special"] = t.Special,
            })]),
            ["normalizer"] = Compose ? new JsonObject { ["type"] = "NFC" } : null,
            ["pre_tokenizer"] = Words == Gpt2Words
                ? ByteLevel(useRegex: true)
                : new JsonObject
                {
                    ["type"] = "Sequence",
                    ["pretokenizers"] = new JsonArray(
                        new JsonObject
                        {
                            ["type"] = "Split",
                            ["pattern"] = new JsonObject { ["Regex"] = Words },
                            ["behavior"] = "Isolated",
                            ["invert"] = false,
                        },
                        ByteLevel(useRegex: false)),
                },
            ["post_processor"] = Suffix.Count > 0 ? RobertaProcessing() : Prefix.Count == 0 ? ByteLevel(useRegex: false) : PrefixTemplate(),
            ["decoder"] = ByteLevel(useRegex: true),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["continuing_subword_prefix"] = "",
                ["end_of_word_suffix"] = "",
                ["fuse_unk"] = false,
                ["byte_fallback"] = false,
                ["ignore_merges"] = false,
                ["vocab"] = new JsonObject(Vocabulary.OrderBy(v => v.Value).Select(v => KeyValuePair.Create(v.Key, (JsonNode?)v.Value))),
                ["merges"] = new JsonArray([.. Merges.Select(m => (JsonNode)$"{m.Left} {m.Right}")]),
            },
        };
        var options = new JsonSerializerOptions
        {
            WriteIndented = true,
            IndentSize = 1,
            NewLine = "\n",
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        File.WriteAllText(path, root.ToJsonString(options) + "\n");
    }

    private static JsonObject ByteLevel(bool useRegex) => new()
    {
        ["type"] = "ByteLevel",
        ["add_prefix_space"] = false,
        ["trim_offsets"] = false,
        ["use_regex"] = useRegex,
    };

    private JsonObject RobertaProcessing() => new()
    {
        ["type"] = Roberta,
        ["sep"] = new JsonArray(Suffix[0], Added.Single(t => t.Content == Suffix[0]).Id),
        ["cls"] = new JsonArray(Prefix[0], Added.Single(t => t.Content == Prefix[0]).Id),
        ["trim_offsets"] = true,
        ["add_prefix_space"] = false,
    };

    private JsonObject PrefixTemplate()
    {
        JsonArray Sequences(params string[] ids) =>
            [.. Prefix.Select(p => new JsonObject { ["SpecialToken"] = new JsonObject { ["id"] = p, ["type_id"] = 0 } }),
             .. ids.Select(id => new JsonObject { ["Sequence"] = new JsonObject { ["id"] = id, ["type_id"] = 0 } })];
        return new JsonObject
        {
            ["type"] = "TemplateProcessing",
            ["single"] = Sequences("A"),
            ["pair"] = Sequences("A", "B"),
            ["special_tokens"] = new JsonObject(Prefix.Distinct().Select(p => KeyValuePair.Create(p, (JsonNode?)new JsonObject
            {
                ["id"] = p,
                ["ids"] = new JsonArray(Added.Single(t => t.Content == p).Id),
                ["tokens"] = new JsonArray(p),
            }))),
        };
    }
}
