using FlamingoSharp.Models;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Tests.Weights;

public sealed class ModelPartTests
{
    [Theory]
    [InlineData("clap.nvclap.bn0.weight", ModelPart.Encoder)]
    [InlineData("audio_transformer.layers.0.w_1.weight", ModelPart.AudioTransformer)]
    [InlineData("audio_transformer_clap.layers.0.w_1.weight", ModelPart.AudioTransformer)]
    [InlineData("lang_encoder.model.decoder.embed_tokens.weight", ModelPart.Language)]
    [InlineData("lang_encoder.model.decoder.layers.0.gated_cross_attn_layer.attn_gate", ModelPart.CrossAttention)]
    [InlineData("lang_encoder.model.layers.0.gated_cross_attn_layer_sound.attn_gate", ModelPart.CrossAttention)]
    [InlineData("optimizer.lang_encoder.step", null)]
    [InlineData("clap_project.0.weight", null)]
    [InlineData("audio_transformer_other.w", null)]
    [InlineData("vision.gated_cross_attn_layer.attn_gate", null)]
    public void A_weights_name_tells_its_part(string name, ModelPart? part) => Assert.Equal(part, ModelParts.Of(name));

    [Fact]
    public void Every_weight_of_a_model_belongs_to_a_part()
    {
        Assert.All(FlamingoConfig.Tiny.DescribeWeights().Concat(FlamingoConfig.Mini.DescribeWeights()), w => Assert.NotNull(ModelParts.Of(w.Name)));
    }
}
