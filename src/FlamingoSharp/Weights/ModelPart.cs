namespace FlamingoSharp.Weights;

/// <summary>What a model is made of.</summary>
public enum ModelPart
{
    /// <summary>The sound encoder, CLAP or AF-CLAP.</summary>
    Encoder,

    /// <summary>The audio representation transformer.</summary>
    AudioTransformer,

    /// <summary>The gated cross-attention blocks before the language model's.</summary>
    CrossAttention,

    /// <summary>The language model without what it hears with.</summary>
    Language,
}

/// <summary>The parts of a model by the names of its weights.</summary>
public static class ModelParts
{
    /// <summary>What the names of the encoder's weights begin with.</summary>
    public const string EncoderPrefix = "clap.";

    /// <summary>The part that a weight belongs to; null for a name that is no model's.</summary>
    /// <param name="name">The canonical name of a weight (<see cref="NameMap.Canonical"/>), e.g. <c>lang_encoder.model.decoder.embed_tokens.weight</c>.</param>
    public static ModelPart? Of(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name switch
        {
            _ when Begins(EncoderPrefix) => ModelPart.Encoder,
            _ when Begins("audio_transformer.") || Begins("audio_transformer_clap.") => ModelPart.AudioTransformer,
            _ when Begins("lang_encoder.") => name.Contains("gated_cross_attn", StringComparison.Ordinal) ? ModelPart.CrossAttention : ModelPart.Language,
            _ => null,
        };

        bool Begins(string start) => name.StartsWith(start, StringComparison.Ordinal);
    }
}
