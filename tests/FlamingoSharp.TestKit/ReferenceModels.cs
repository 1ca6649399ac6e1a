using System.Text.Json.Nodes;
using FlamingoSharp.Models;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.TestKit;

/// <summary>Builds the models that the golden vectors describe.</summary>
internal static class ReferenceModels
{
    /// <summary>The ids of the special tokens, which a case may leave to its set's af1-tiny.</summary>
    public static JsonObject TokenIds(ReferenceCase reference) =>
        (Config(reference)["token_ids"] ?? Config(reference.Set.Case(reference.IsAf2 ? "af2-tiny" : "af1-tiny"))["token_ids"])!.AsObject();

    /// <summary>The configuration of a case, or of the case that it names.</summary>
    public static JsonObject Config(ReferenceCase reference)
    {
        var config = reference.Json["config"]!.AsObject();
        return config["same_as"] is { } other ? Config(reference.Set.Case((string)other!)) : config;
    }

    /// <summary>OPT options from a Hugging Face configuration.</summary>
    public static OptOptions Opt(JsonObject lm, double dropout = 0) => new()
    {
        VocabularySize = (int)lm["vocab_size"]!,
        HiddenSize = (int)lm["hidden_size"]!,
        Layers = (int)lm["num_hidden_layers"]!,
        FeedForward = (int)lm["ffn_dim"]!,
        Heads = (int)lm["num_attention_heads"]!,
        MaxPositions = (int)lm["max_position_embeddings"]!,
        Dropout = dropout,
    };

    /// <summary>The model of a case without its encoder, in eval mode, filled with synthetic weights.</summary>
    /// <param name="reference">The case; it says which of the two systems it is.</param> <param name="weights">A weights.json; null takes the case's.</param>
    /// <param name="every">Cross-attention before every n-th layer; null takes the case's.</param>
    /// <param name="trainingCode">True for the training code of Audio Flamingo 2, which keeps the few-shot mask in units of vectors.</param>
    public static FlamingoModel Of(ReferenceCase reference, string? weights = null, int? every = null, bool trainingCode = false) =>
        reference.IsAf2 ? Af2(reference, weights, every, trainingCode) : Af1(reference, weights, every);

    private static FlamingoModel Af1(ReferenceCase reference, string? weights, int? every)
    {
        var config = Config(reference);
        string file = weights ?? (string)reference.Json["weights"]!;
        using var source = reference.OpenWeights(file, PrefixOf(reference, file));
        int width = (int)config["audio_embed_dim"]!;
        var model = new FlamingoModel(
            encoder: null,
            new AudioTransformer(new AudioTransformerOptions
            {
                Layers = (int)config["n_layers"]!,
                Heads = (int)config["n_head"]!,
                Width = width,
                FeedForward = (int)config["d_inner"]!,
                MaxVectors = (int)config["max_num_media"]!,
                AttentionDropout = 0,
            }),
            new OptDecoder(Opt(config["lm"]!.AsObject()), width, new CrossAttentionOptions
            {
                EveryLayers = every ?? (int?)config["cross_attn_every_n_layers"] ?? 1,
            }),
            new Conditioning((int)TokenIds(reference)["audio"]!, (int)config["max_window_per_audio"]!, FewShotMask: true));
        ModuleWeights.Fill(model, source);
        model.eval();
        return model;
    }

    /// <summary>Qwen2.5 options from a Hugging Face configuration.</summary>
    public static Qwen2Options Qwen2(JsonObject lm) => new()
    {
        VocabularySize = (int)lm["vocab_size"]!,
        HiddenSize = (int)lm["hidden_size"]!,
        Layers = (int)lm["num_hidden_layers"]!,
        FeedForward = (int)lm["intermediate_size"]!,
        Heads = (int)lm["num_attention_heads"]!,
        KeyValueHeads = (int)lm["num_key_value_heads"]!,
        MaxPositions = (int)lm["max_position_embeddings"]!,
        RotaryBase = (double)lm["rope_theta"]!,
        NormEpsilon = (double)lm["rms_norm_eps"]!,
        TiedHead = (bool)lm["tie_word_embeddings"]!,
    };

    private static FlamingoModel Af2(ReferenceCase reference, string? weights, int? every, bool trainingCode)
    {
        var config = Config(reference);
        string file = weights ?? (string)reference.Json["weights"]!;
        using var source = reference.OpenWeights(file, PrefixOf(reference, file));
        int width = (int)config["clap_embed_dim"]!;
        var model = new FlamingoModel(
            encoder: null,
            new AudioTransformer(new AudioTransformerOptions
            {
                Layers = (int)config["n_layers"]!,
                Heads = (int)config["n_head"]!,
                Width = width,
                FeedForward = (int)config["d_inner"]!,
                Positions = AudioPositions.Rotary,
                MaskPadding = true,
                AttentionDropout = 0,
            }),
            new Qwen2Decoder(Qwen2(config["lm"]!.AsObject()), width, new CrossAttentionOptions
            {
                EveryLayers = every ?? (int?)config["cross_attn_every_n_layers"] ?? 1,
            }),
            new Conditioning((int)TokenIds(reference)["audio"]!, (int?)config["max_window_per_audio"] ?? 1, FewShotMask: trainingCode)
            {
                ForTrainingOnly = trainingCode,
            });
        ModuleWeights.Fill(model, source);
        model.eval();
        return model;
    }

    /// <summary>[b, w] windows that are real, from the numbers of a case: per row and sound slot, how many lead.</summary>
    public static Tensor ValidWindows(JsonNode perRow, int windowsPerSound, int windows)
    {
        var rows = perRow.AsArray();
        var valid = zeros(rows.Count, windows, ScalarType.Bool);
        for (int row = 0; row < rows.Count; row++)
        {
            var slots = rows[row]!.AsArray();
            for (int slot = 0; slot < slots.Count; slot++)
                valid[row].narrow(0, slot * windowsPerSound, (long)slots[slot]!).fill_(true);
        }
        return valid;
    }

    // The prefix is the part in front of the first name of a module; it is hashed with the name but no part of it.
    private static string PrefixOf(ReferenceCase reference, string file)
    {
        string first = (string)JsonNode.Parse(File.ReadAllText(reference.Set.PathOf(file)))!["tensors"]![0]!["name"]!;
        int at = first.IndexOf("audio_transformer", StringComparison.Ordinal);
        return at < 0 ? throw new InvalidDataException($"{file}: the first name is {first}, not one of the audio transformer.") : first[..at];
    }
}
