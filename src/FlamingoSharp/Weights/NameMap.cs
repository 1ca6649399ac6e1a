using System.Text.RegularExpressions;

namespace FlamingoSharp.Weights;

/// <summary>What the names of a checkpoint mean: which are copies, which are computed, and how foreign names read in ours.</summary>
/// <remarks>
/// Canonical names are those of the published Audio Flamingo checkpoints: <c>clap.*</c> the sound encoder, <c>audio_transformer*.*</c>,
/// <c>lang_encoder.*</c> the language model with its cross attention.
/// </remarks>
public static partial class NameMap
{
    private static readonly (string Copy, string Original, string Within)[] s_copies =
    [
        ("lang_encoder.old_decoder_blocks.", "layers.", ".decoder_layer."),
        ("lang_encoder.gated_cross_attn_layers.", "layers.", ".gated_cross_attn_layer."),
        ("lang_encoder.gated_cross_attn_layers_sound.", "layers.", ".gated_cross_attn_layer_sound."),
    ];

    private static readonly string[] s_computedEndings =
    [
        "position_enc.pos_table", "position_enc.inv_freq", "rotary_emb.inv_freq",
        "stft.conv_real.weight", "stft.conv_imag.weight", "logmel_extractor.melW",
        "relative_position_index", "attn_mask", "num_batches_tracked", "position_ids",
    ];

    // What stands beside the sound encoder in the checkpoints of CLAP, and is no part of an Audio Flamingo model.
    private static readonly string[] s_foreign =
    [
        "gpt.", "clap_project.", "text_branch.", "text_transform.", "text_projection.", "audio_transform.", "audio_projection.", "logit_scale",
        "caption_encoder.", "clap.caption_encoder.", "lm_head.",
    ];

    // What stands beside the two towers of a CLAP model in published files: layers of a loss, and the text encoder of Microsoft's.
    private static readonly string[] s_notClap =
    [
        "audio_transform.", "text_transform.", "logit_scale_t", "caption_encoder.", "clap.caption_encoder.", "gpt.", "clap_project.", "lm_head.",
    ];

    /// <summary>A tensor that the checkpoint stores a second time; the first is under <see cref="OriginalOf"/>.</summary>
    public static bool IsCopy(string name) => OriginalOf(name) is not null;

    /// <summary>The ending of the canonical name of which a name is a copy; null if it is none.</summary>
    /// <remarks>The decoder of Audio Flamingo 1 has its layers under <c>model.decoder.</c>, that of 2 under <c>model.</c>: only the ending is common.</remarks>
    public static string? OriginalOf(string name)
    {
        if (name == "lang_encoder.lm_head.weight")
            return "embed_tokens.weight";
        foreach (var (copy, original, within) in s_copies)
        {
            if (!name.StartsWith(copy, StringComparison.Ordinal))
                continue;
            int dot = name.IndexOf('.', copy.Length);
            return dot < 0 ? null : $"{original}{name[copy.Length..dot]}{within}{name[(dot + 1)..]}";
        }
        return null;
    }

    /// <summary>A buffer that the model computes by itself: tables of sines, mel banks, indices, masks.</summary>
    public static bool IsComputed(string name) => s_computedEndings.Any(e =>
        name.EndsWith(e, StringComparison.Ordinal) && (name.Length == e.Length || name[^(e.Length + 1)] == '.'));

    /// <summary>The canonical name; null for a tensor that no Audio Flamingo model needs: a copy, a computed buffer, a part of another model.</summary>
    /// <remarks>
    /// Known foreign names: a Hugging Face OPT or Qwen2 folder (<c>model.decoder.layers.N</c>, <c>decoder.layers.N</c>, <c>model.layers.N</c>),
    /// the file of the clapcap encoder (<c>clap.*</c> beside <c>gpt.*</c>), a CLAP training checkpoint (<c>audio_branch.*</c>).
    /// Names that are not known come back unchanged.
    /// </remarks>
    public static string? Canonical(string name)
    {
        if (s_foreign.Any(f => name.StartsWith(f, StringComparison.Ordinal)))
            return null;
        if (name.StartsWith("audio_branch.", StringComparison.Ordinal))
            name = "clap.nvclap." + name["audio_branch.".Length..];
        else if (name.StartsWith("clap.afclap.", StringComparison.Ordinal))
            name = "clap.nvclap." + name["clap.afclap.".Length..];
        else if (LanguageModel().Match(name) is { Success: true } match)
            name = LanguageModelName(match.Groups["decoder"].Success, match.Groups["rest"].Value);
        return IsCopy(name) || IsComputed(name) ? null : name;
    }

    /// <summary>
    /// The name in a CLAP model of ours, whose sound encoder is under <c>clap.*</c> as everywhere here; null for a tensor that it does not need.
    /// </summary>
    /// <remarks>
    /// Known foreign names: a training checkpoint of LAION-CLAP (<c>audio_branch.*</c>, <c>text_branch.*</c>, <c>audio_projection.*</c>,
    /// <c>text_projection.*</c>, <c>logit_scale_a</c>), whose further <c>*_transform.*</c> belong to a loss and not to the embeddings, and
    /// the files of Microsoft's CLAP (<c>audio_encoder.*</c>, or <c>clap.*</c>, beside a text encoder).
    /// </remarks>
    public static string? Clap(string name)
    {
        if (name == "logit_scale" || s_notClap.Any(f => name.StartsWith(f, StringComparison.Ordinal)) || IsComputed(name))
            return null;
        if (name.StartsWith("audio_branch.", StringComparison.Ordinal))
            return "clap.nvclap." + name["audio_branch.".Length..];
        return name.StartsWith("audio_encoder.", StringComparison.Ordinal) ? "clap." + name["audio_encoder.".Length..] : name;
    }

    private static string LanguageModelName(bool opt, string rest)
    {
        string start = opt ? "lang_encoder.model.decoder." : "lang_encoder.model.";
        return start + Layer().Replace(rest, "layers.$1.decoder_layer.");
    }

    [GeneratedRegex(@"^(?:model\.)?(?<decoder>decoder\.)(?<rest>.+)$|^model\.(?<rest>(?:layers|embed_tokens|norm)\..+)$")]
    private static partial Regex LanguageModel();

    [GeneratedRegex(@"^layers\.(\d+)\.(?!decoder_layer\.|gated_cross_attn_layer)")]
    private static partial Regex Layer();
}
