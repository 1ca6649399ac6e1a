using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace FlamingoSharp.Models;

/// <summary>A decoder layer and the cross-attention block before it, under the names that checkpoints give the pair.</summary>
internal sealed class ConditionedLayer<TLayer> : Module
    where TLayer : Module
{
    public ConditionedLayer(string crossAttentionName, GatedCrossAttention? crossAttention, TLayer layer)
        : base(nameof(ConditionedLayer<>))
    {
        RegisterComponents(); // before there are any, so that torch never adds the parts again under the names of their fields
        (CrossAttention, Layer) = (crossAttention, layer);
        if (crossAttention is not null)
            register_module(crossAttentionName, crossAttention);
        register_module("decoder_layer", layer);
    }

    /// <summary>All layers of a decoder, with cross-attention before each or every so many.</summary>
    public static ModuleList<ConditionedLayer<TLayer>> Stack(
        string crossAttentionName, LanguageModelOptions options, int audioWidth, CrossAttentionOptions crossAttention, Func<TLayer> layer) =>
        new([.. Enumerable.Range(1, options.Layers).Select(number => new ConditionedLayer<TLayer>(
            crossAttentionName,
            number % crossAttention.EveryLayers == 0 ? new GatedCrossAttention(options.HiddenSize, audioWidth, crossAttention) : null,
            layer()))]);

    /// <summary>Null where the configuration places no block before this layer.</summary>
    public GatedCrossAttention? CrossAttention { get; }

    /// <summary>The language model's own layer.</summary>
    public TLayer Layer { get; }
}
