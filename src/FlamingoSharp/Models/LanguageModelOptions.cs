using System.Text.Json.Serialization;

namespace FlamingoSharp.Models;

/// <summary>Which language model listens, and its sizes.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(OptOptions), "opt")]
[JsonDerivedType(typeof(Qwen2Options), "qwen2")]
public abstract record LanguageModelOptions
{
    /// <summary>Rows of the token embedding.</summary>
    public abstract int VocabularySize { get; init; }

    /// <summary>Width of a text vector.</summary>
    public abstract int HiddenSize { get; init; }

    /// <summary>Decoder layers.</summary>
    public abstract int Layers { get; init; }

    /// <summary>Query heads; divides <see cref="HiddenSize"/>.</summary>
    public abstract int Heads { get; init; }

    /// <summary>Longest text, prompt and answer together, in tokens.</summary>
    public abstract int MaxPositions { get; init; }

    /// <summary>Heads whose keys and values are kept of past tokens.</summary>
    internal virtual int CachedHeads => Heads;

    private protected LanguageModelOptions()
    {
    }

    /// <summary>Makes the decoder, without weights.</summary>
    internal abstract LanguageModel Build(int audioWidth, CrossAttentionOptions crossAttention);

    /// <summary>Checks that the sizes fit each other.</summary>
    internal abstract void Validate();

    private protected static void Require(bool condition, string problem)
    {
        if (!condition)
            throw new FlamingoException(FlamingoErrorKind.Model, $"The language model's options do not fit together: {problem}.");
    }
}

/// <summary>Sizes of an OPT decoder. Defaults: OPT-IML-MAX-1.3B as Audio Flamingo 1 uses it.</summary>
public sealed record OptOptions : LanguageModelOptions
{
    /// <summary>Rows of the embedding: OPT's 50265 entries, <c>&lt;audio&gt;</c>, <c>&lt;|endofchunk|&gt;</c> and <c>&lt;SEP&gt;</c>.</summary>
    public override int VocabularySize { get; init; } = 50268;

    /// <inheritdoc/>
    public override int HiddenSize { get; init; } = 2048;

    /// <inheritdoc/>
    public override int Layers { get; init; } = 24;

    /// <inheritdoc/>
    public override int Heads { get; init; } = 32;

    /// <summary>Hidden width of the feed-forward part.</summary>
    public int FeedForward { get; init; } = 8192;

    /// <inheritdoc/>
    public override int MaxPositions { get; init; } = 2048;

    /// <summary>Share of activations dropped after embedding, attention and feed-forward in training.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <inheritdoc/>
    internal override LanguageModel Build(int audioWidth, CrossAttentionOptions crossAttention) => new OptDecoder(this, audioWidth, crossAttention);

    /// <inheritdoc/>
    internal override void Validate()
    {
        Require(Layers > 0 && Heads > 0 && HiddenSize % Heads == 0, $"{Heads} heads do not divide the width {HiddenSize}");
        Require(VocabularySize > 0 && FeedForward > 0 && MaxPositions > 0, "every size must be positive");
    }
}
