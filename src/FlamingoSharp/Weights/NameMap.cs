namespace FlamingoSharp.Weights;

/// <summary>What the names of a checkpoint mean: which are copies, which are computed, and how foreign names read in ours.</summary>
/// <remarks>Canonical names: <c>clap.*</c> the sound encoder, <c>audio_transformer*</c>, <c>lang_encoder.*</c> the language model with its cross attention.</remarks>
internal static class NameMap
{
    private static readonly string[] Copies =
    [
        "lang_encoder.old_decoder_blocks.",
        "lang_encoder.gated_cross_attn_layers.",
        "lang_encoder.gated_cross_attn_layers_sound.",
        "lang_encoder.lm_head.",
    ];

    private static readonly string[] ComputedEndings =
    [
        ".position_enc.pos_table", ".position_enc.inv_freq", ".rotary_emb.inv_freq",
        ".stft.conv_real.weight", ".stft.conv_imag.weight", ".logmel_extractor.melW",
        ".relative_position_index", ".attn_mask", ".num_batches_tracked", ".position_ids",
    ];

    /// <summary>A tensor that the checkpoint stores a second time under its canonical name.</summary>
    public static bool IsCopy(string name) => Copies.Any(c => name.StartsWith(c, StringComparison.Ordinal));

    /// <summary>A buffer that the model computes by itself: tables of sines, mel banks, indices, masks.</summary>
    public static bool IsComputed(string name) =>
        ComputedEndings.Any(e => name.EndsWith(e, StringComparison.Ordinal) || name.AsSpan().SequenceEqual(e.AsSpan(1)));
}
