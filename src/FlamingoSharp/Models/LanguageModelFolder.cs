using System.Text.Json;

namespace FlamingoSharp.Models;

/// <summary>What the config.json of a plain language model in Hugging Face's form says of its shape.</summary>
internal static class LanguageModelFolder
{
    /// <summary>The sizes of the OPT or Qwen2 in a folder.</summary>
    /// <exception cref="FlamingoException">There is none, or it is of a form that Audio Flamingo is not built on.</exception>
    public static LanguageModelOptions Read(string folder)
    {
        string path = Path.Combine(folder, "config.json");
        if (!File.Exists(path))
        {
            throw new FlamingoException(FlamingoErrorKind.Model,
                $"'{folder}' is no folder of a language model in Hugging Face's form: it has no config.json. Name the folder of an OPT or Qwen2 model, e.g. as 'flamingo pull' leaves it.");
        }
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            var root = json.RootElement;
            string type = root.TryGetProperty("model_type", out var named) ? named.GetString() ?? "" : "";
            LanguageModelOptions options = type switch
            {
                "opt" => Opt(root),
                "qwen2" => Qwen2(root),
                _ => throw new FlamingoException(FlamingoErrorKind.Model,
                    $"'{folder}' is a language model of type '{type}', but Audio Flamingo is built on opt or qwen2. Name the folder of such a model."),
            };
            options.Validate();
            return options;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IOException)
        {
            throw new FlamingoException(FlamingoErrorKind.Model, $"'{path}' does not describe a language model: {e.Message}", e);
        }

        OptOptions Opt(JsonElement root)
        {
            var options = new OptOptions
            {
                VocabularySize = Whole(root, "vocab_size"),
                HiddenSize = Whole(root, "hidden_size"),
                Layers = Whole(root, "num_hidden_layers"),
                Heads = Whole(root, "num_attention_heads"),
                FeedForward = Whole(root, "ffn_dim"),
                MaxPositions = Whole(root, "max_position_embeddings"),
            };
            Require(!root.TryGetProperty("do_layer_norm_before", out var before) || before.GetBoolean(), "normalises after its layers, not before");
            Require(!root.TryGetProperty("word_embed_proj_dim", out var narrow) || narrow.GetInt32() == options.HiddenSize, "projects its token embedding");
            Require(!root.TryGetProperty("activation_function", out var function) || function.GetString() == "relu", "has another activation than relu");
            return root.TryGetProperty("dropout", out var dropout) ? options with { Dropout = dropout.GetDouble() } : options;
        }

        Qwen2Options Qwen2(JsonElement root)
        {
            Require(root.TryGetProperty("tie_word_embeddings", out var tied) && tied.GetBoolean(), "has a head of its own beside the token embedding");
            var options = new Qwen2Options
            {
                VocabularySize = Whole(root, "vocab_size"),
                HiddenSize = Whole(root, "hidden_size"),
                Layers = Whole(root, "num_hidden_layers"),
                Heads = Whole(root, "num_attention_heads"),
                KeyValueHeads = Whole(root, "num_key_value_heads"),
                FeedForward = Whole(root, "intermediate_size"),
                MaxPositions = Whole(root, "max_position_embeddings"),
            };
            return options with
            {
                RotaryBase = root.TryGetProperty("rope_theta", out var theta) ? theta.GetDouble() : options.RotaryBase,
                NormEpsilon = root.TryGetProperty("rms_norm_eps", out var epsilon) ? epsilon.GetDouble() : options.NormEpsilon,
            };
        }

        void Require(bool holds, string problem)
        {
            if (!holds)
                throw new FlamingoException(FlamingoErrorKind.Model, $"The language model in '{folder}' {problem}, which those of Audio Flamingo do not; name another.");
        }
    }

    /// <summary>What messages call a language model.</summary>
    public static string Describe(LanguageModelOptions options) =>
        $"{(options is OptOptions ? "an OPT" : "a Qwen2")} of width {options.HiddenSize} with {options.Layers} layers and {options.Heads} heads";

    private static int Whole(JsonElement root, string name) => root.GetProperty(name).GetInt32();
}
