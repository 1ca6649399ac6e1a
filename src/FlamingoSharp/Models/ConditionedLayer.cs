using static TorchSharp.torch.nn;

namespace FlamingoSharp.Models;

/// <summary>A decoder layer and the cross-attention block before it, under the names that checkpoints give the pair.</summary>
internal sealed class ConditionedLayer<TLayer> : Module
    where TLayer : Module
{
    public ConditionedLayer(string crossAttentionName, GatedCrossAttention? crossAttention, TLayer layer)
        : base(nameof(ConditionedLayer<>))
    {
        (CrossAttention, Layer) = (crossAttention, layer);
        if (crossAttention is not null)
            register_module(crossAttentionName, crossAttention);
        register_module("decoder_layer", layer);
    }

    /// <summary>Null where the configuration places no block before this layer.</summary>
    public GatedCrossAttention? CrossAttention { get; }

    /// <summary>The language model's own layer.</summary>
    public TLayer Layer { get; }
}
