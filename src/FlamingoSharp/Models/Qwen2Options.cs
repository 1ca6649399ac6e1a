namespace FlamingoSharp.Models;

/// <summary>Sizes of a Qwen2.5 decoder. Defaults: Qwen2.5-3B as Audio Flamingo 2 uses it.</summary>
public sealed record Qwen2Options : LanguageModelOptions
{
    /// <summary>Rows of the embedding: Qwen2.5's 151665 entries and Audio Flamingo's four.</summary>
    public override int VocabularySize { get; init; } = 151669;

    /// <inheritdoc/>
    public override int HiddenSize { get; init; } = 2048;

    /// <inheritdoc/>
    public override int Layers { get; init; } = 36;

    /// <inheritdoc/>
    public override int Heads { get; init; } = 16;

    /// <summary>Key and value heads; divides <see cref="Heads"/>.</summary>
    public int KeyValueHeads { get; init; } = 2;

    /// <summary>Hidden width of the feed-forward part.</summary>
    public int FeedForward { get; init; } = 11008;

    /// <summary>Longest text in tokens.</summary>
    public override int MaxPositions { get; init; } = 32768;

    /// <summary>Base of the rotary angles.</summary>
    public double RotaryBase { get; init; } = 1e6;

    /// <summary>Added to the mean square in the norms.</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary>True where the head is the token embedding.</summary>
    public bool TiedHead { get; init; } = true;

    /// <inheritdoc/>
    internal override int CachedHeads => KeyValueHeads;

    /// <inheritdoc/>
    internal override LanguageModel Build(int audioWidth, CrossAttentionOptions crossAttention) => new Qwen2Decoder(this, audioWidth, crossAttention);

    /// <inheritdoc/>
    internal override void Validate()
    {
        Require(Layers > 0 && Heads > 0 && HiddenSize % Heads == 0, $"{Heads} heads do not divide the width {HiddenSize}");
        Require(KeyValueHeads > 0 && Heads % KeyValueHeads == 0, $"{KeyValueHeads} key heads do not divide {Heads} query heads");
        Require(VocabularySize > 0 && FeedForward > 0 && MaxPositions > 0, "every size must be positive");
    }
}
