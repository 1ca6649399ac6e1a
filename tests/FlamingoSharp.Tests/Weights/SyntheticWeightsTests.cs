using FlamingoSharp.Weights;

namespace FlamingoSharp.Tests.Weights;

/// <summary>Golden numbers: tests/ReferenceVectors/README.md, "Test values".</summary>
public sealed class SyntheticWeightsTests
{
    [Fact]
    public void Seeds_are_the_documented_hashes()
    {
        Assert.Equal(0x366c0065b5d31835ul, SyntheticWeights.Seed("audio_transformer.layer_norm.weight"));
        Assert.Equal(0x7839af72482352c7ul, SyntheticWeights.Seed("lang_encoder.model.decoder.embed_tokens.weight"));
    }

    [Fact]
    public void Values_are_the_documented_ones()
    {
        Assert.Equal(
            [-0.39674389362335205f, 0.5816959142684937f, -0.734545111656189f, 0.06393218040466309f],
            SyntheticWeights.Values("audio_transformer.layer_norm.weight", 4, 0, 1));
        Assert.Equal(
            [0.9603255987167358f, 1.0581696033477783f, 0.9265455007553101f, 1.0063931941986084f],
            SyntheticWeights.Values("audio_transformer.layer_norm.weight", 4, 1, 0.1));
    }

    [Fact]
    public void Integers_are_the_documented_ones() =>
        Assert.Equal([42, 93, 40, 69, 50, 12, 36, 26], SyntheticWeights.Integers("lang_encoder.model.decoder.embed_tokens.weight", 8, 0, 100));

    [Fact]
    public void A_tensor_filled_in_pieces_equals_one_filled_at_once()
    {
        float[] whole = SyntheticWeights.Values("x", 100, 0, 1), pieces = new float[100];
        SyntheticWeights.Fill(SyntheticWeights.Seed("x"), pieces.AsSpan(0, 37), 0, 1);
        SyntheticWeights.Fill(SyntheticWeights.Seed("x"), pieces.AsSpan(37), 0, 1, start: 37);
        Assert.Equal(whole, pieces);
    }
}
