using System.Globalization;

namespace FlamingoSharp.Weights;

/// <summary>Guesses from names and shapes which other checkpoint somebody has picked.</summary>
internal static class WeightDiagnosis
{
    /// <summary>One sentence, or null if nothing is recognised.</summary>
    public static string? Of(
        IWeightSource source, string prefix, IReadOnlyList<string> missing, IReadOnlyList<string> unexpected,
        IReadOnlyList<(string Name, IReadOnlyList<long> Found, IReadOnlyList<long> Wanted)> otherShape)
    {
        bool Has(string part) => source.Weights.Keys.Any(k => k.Contains(part, StringComparison.Ordinal));
        bool Only(string start) => source.Weights.Keys.All(k => k.StartsWith(start, StringComparison.Ordinal));

        if (source.Weights.Count == 0)
            return "It holds no tensors at all.";
        if (Has("conv_block1.conv1") || Has("fc_audioset"))
            return "This looks like a PANN checkpoint; the encoder wanted is an HTSAT.";
        if (otherShape.FirstOrDefault(o => o.Name.EndsWith("embed_tokens.weight", StringComparison.Ordinal)) is { Name: not null } vocabulary
            && vocabulary.Found is [var found, var width] && vocabulary.Wanted is [var wanted, var wantedWidth] && width == wantedWidth)
        {
            return string.Create(CultureInfo.InvariantCulture,
                $"The vocabulary has {found} rows but the model wants {wanted}: {VocabularyOf(found, wanted)}.");
        }
        if (Has("lora_A") || Has("lora_B"))
            return "This looks like a LoRA adapter; merge it into its base model first.";
        if (otherShape.Count > 0 && otherShape.Count >= missing.Count && otherShape.Count >= unexpected.Count)
            return "The names fit but the sizes do not: this is a checkpoint of a larger or smaller model; check the preset or config.json.";
        if (missing.Any(m => m.Contains("gated_cross_attn_layer.", StringComparison.Ordinal)) && Has("gated_cross_attn_layer_sound."))
            return "This looks like an Audio Flamingo 2 checkpoint; the configuration is one of Audio Flamingo 1.";
        if (missing.Any(m => m.Contains("gated_cross_attn_layer_sound.", StringComparison.Ordinal)) && Has("gated_cross_attn_layer."))
            return "This looks like an Audio Flamingo 1 checkpoint; the configuration is one of Audio Flamingo 2.";
        if (missing.Count > 0 && Only("clap."))
            return "This is the encoder only; the audio transformer and the language model are in another file.";
        if (missing.Count > 0 && missing.All(m => m.StartsWith("clap.", StringComparison.Ordinal)))
            return $"The sound encoder (clap.*) is not {(Has("clap.") ? "whole" : "in it")}: convert the checkpoint together with the encoder's file.";
        if (missing.Any(m => m.Contains(".decoder_layer.", StringComparison.Ordinal)) && missing.All(m => m.StartsWith("lang_encoder.", StringComparison.Ordinal))
            && !Has(".decoder_layer.") && Has("gated_cross_attn_layer"))
        {
            return "Only what was trained of the language model is in it: convert the checkpoint together with the folder of the plain language model.";
        }
        if (missing.Any(m => m.Contains("gated_cross_attn_layer", StringComparison.Ordinal)) && !Has("gated_cross_attn_layer") && Has("layers.0."))
            return "This looks like a plain language model without cross attention, not an Audio Flamingo checkpoint.";
        if (Has("audio_branch.") || Has("text_branch."))
            return "This looks like a whole CLAP training checkpoint; the model wants its audio branch alone, under clap.*.";
        if (source.Weights.Keys.All(k => !k.StartsWith(prefix, StringComparison.Ordinal)))
            return $"None of its names starts with '{prefix}'; the first is '{source.Weights.Keys.First()}'.";
        if (missing.Count > 0 && unexpected.Count == 0 && otherShape.Count == 0)
            return "What is there fits: this may be one part of a split checkpoint (name all parts) or an incomplete download.";
        if (missing.Count == 0 && unexpected.Count > 0 && otherShape.Count == 0)
            return "The model is a part of it: it may have more layers than the configuration says.";
        return null;
    }

    private static string VocabularyOf(long found, long wanted) => (found, wanted) switch
    {
        (50272, 50268) => "this is the plain OPT vocabulary, without the tokens that Audio Flamingo 1 adds",
        (151936, 151669) => "this is the plain Qwen2.5 vocabulary, without the tokens that Audio Flamingo 2 adds",
        _ => "checkpoint and tokenizer are not of the same model",
    };
}
