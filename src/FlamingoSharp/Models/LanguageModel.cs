using FlamingoSharp.Generation;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlamingoSharp.Models;

/// <summary>What one forward pass of a language model is given.</summary>
/// <param name="Ids">[b, t] new tokens.</param>
internal sealed record LanguageInput(Tensor Ids)
{
    /// <summary>[b, s], true for real tokens, over the cached and the new ones (s = cached + t); null when all are real.</summary>
    public Tensor? Attend { get; init; }

    /// <summary>The sounds, one entry a layer (null where a layer has no cross-attention); null for text without sound.</summary>
    public IReadOnlyList<MediaKeyValues?>? Media { get; init; }

    /// <summary>[b, 1, t, l], which audio vectors the new tokens may see; see <see cref="CrossAttentionMask.ToScores"/>.</summary>
    public Tensor? MediaScores { get; init; }

    /// <summary>Past tokens; null runs without a cache.</summary>
    public KeyValueCache? Cache { get; init; }

    /// <summary>Receives intermediate results by name; for tests.</summary>
    public Action<string, Tensor>? Probe { get; init; }

    /// <summary>For training: layers keep their input alone and are run a second time for the gradient.</summary>
    public bool Recompute { get; init; }
}

/// <summary>
/// A decoder whose layers may each be preceded by gated cross-attention. What differs between language models (norms, positions,
/// feed-forward) lives in the subclasses; conditioning, caching and masks are the same for all.
/// </summary>
/// <remarks>Shapes: b batch, t new tokens, s cached and new tokens, d width, v vocabulary.</remarks>
internal abstract class LanguageModel(string name, LanguageModelOptions options) : Module(name)
{
    /// <summary>Decoder layers.</summary>
    public int Layers => options.Layers;

    /// <summary>Rows of the embedding and of the logits, v.</summary>
    public int VocabularySize => options.VocabularySize;

    /// <summary>Longest text, prompt and answer together, in tokens.</summary>
    public int MaxTokens => options.MaxPositions;

    /// <summary>Key and value heads, for the cache.</summary>
    public int KeyValueHeads => options.CachedHeads;

    /// <summary>Width of one head.</summary>
    public int HeadWidth => options.HiddenSize / options.Heads;

    /// <summary>What the release of this model counts as the length of a beam.</summary>
    public abstract BeamLengthRule BeamLengthRule { get; }

    /// <summary>Where the weights stand in a checkpoint, e.g. <c>lang_encoder.model.decoder</c>.</summary>
    public abstract string CheckpointPath { get; }

    /// <summary>Element type of matrix products, if another than the weights': see <see cref="LinearLayer.ComputeType"/>.</summary>
    public virtual ScalarType? ComputeType
    {
        get => modules().OfType<LinearLayer>().First().ComputeType;
        set
        {
            foreach (var layer in modules().OfType<LinearLayer>())
                layer.ComputeType = value;
        }
    }

    /// <summary>Where the weights are.</summary>
    public Device Device => Tokens.Weight.device;

    /// <summary>Element type of activations.</summary>
    public ScalarType Type => Tokens.Weight.dtype;

    /// <summary>The token embedding.</summary>
    protected abstract Embedding Tokens { get; }

    /// <summary>The cross-attention block before a layer; null where there is none.</summary>
    protected abstract GatedCrossAttention? CrossAttentionBefore(int layer);

    /// <summary>[b, t] -> [b, t, d], positions included where they are added.</summary>
    protected abstract Tensor Embed(LanguageInput input);

    /// <summary>Rotary places of the new tokens, shared by all layers; null where places are added to the embedding.</summary>
    protected virtual RotaryPositions? Rotary(LanguageInput input) => null;

    /// <summary>One decoder layer, [b, t, d] -> [b, t, d].</summary>
    protected abstract Tensor Layer(int layer, Tensor x, Tensor? scores, bool causal, RotaryPositions? rotary, LanguageInput input);

    /// <summary>The norm after the last layer.</summary>
    protected abstract Tensor FinalNorm(Tensor x);

    /// <summary>Hidden states to scores over the vocabulary, [.., d] -> [.., v].</summary>
    public abstract Tensor Logits(Tensor hidden);

    /// <summary>The part of every cross-attention block that depends on the sounds alone.</summary>
    /// <param name="media">[b, l, c]</param>
    public MediaKeyValues?[] ProjectMedia(Tensor media) =>
        [.. Enumerable.Range(0, Layers).Select(i => CrossAttentionBefore(i)?.Project(media))];

    /// <summary>Runs all layers and advances the cache.</summary>
    /// <returns>[b, t, d], normed: input of <see cref="Logits"/>.</returns>
    /// <exception cref="FlamingoException">The text is longer than the model's positions.</exception>
    public Tensor Hidden(LanguageInput input)
    {
        using var scope = NewDisposeScope();
        long t = input.Ids.shape[1], past = input.Cache?.Length ?? 0;
        if (past + t > MaxTokens)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"The text has {past + t} tokens but this model reads at most {MaxTokens}. Shorten the prompt or ask for fewer new tokens.");
        }
        var x = Embed(input);                                                    // [b, t, d]
        input.Probe?.Invoke("hidden_layer0", x);
        var scores = input.Attend is not null || (past > 0 && t > 1) ? SelfAttentionScores(input, past, t) : null; // [b, 1, t, s]
        bool causal = scores is null && t > 1;
        var rotary = Rotary(input);
        for (int i = 0; i < Layers; i++)
        {
            int layer = i;
            x = input.Recompute
                ? RecomputedLayer.Run(x, input.Media?[i], [scores, input.MediaScores, rotary?.Cosines, rotary?.Sines], (state, media, kept) => Conditioned(
                    layer, state, media, kept[0], causal, kept[2] is null ? null : new RotaryPositions(kept[2]!, kept[3]!),
                    input with { MediaScores = kept[1] }))                             // [b, t, d]
                : Conditioned(i, x, input.Media?[i], scores, causal, rotary, input);   // [b, t, d]
            input.Probe?.Invoke($"hidden_layer{i + 1}", x);
        }
        input.Cache?.Advance(t);
        return FinalNorm(x).MoveToOuterDisposeScope();
    }

    /// <summary>A layer and the cross-attention before it, [b, t, d] -> [b, t, d].</summary>
    private Tensor Conditioned(int layer, Tensor x, MediaKeyValues? media, Tensor? scores, bool causal, RotaryPositions? rotary, LanguageInput input)
    {
        if (CrossAttentionBefore(layer) is { } crossAttention)
            x = crossAttention.forward(x, media, input.MediaScores, input.Probe);      // [b, t, d]
        return Layer(layer, x, scores, causal, rotary, input);                         // [b, t, d]
    }

    /// <summary>0 where a new token may look at a key, the most negative finite value where not.</summary>
    private Tensor SelfAttentionScores(LanguageInput input, long past, long t)
    {
        var device = input.Ids.device;
        long s = past + t;
        var visible = ones(t, s, ScalarType.Bool, device).tril(past).unsqueeze(0);  // [1, t, s]
        if (input.Attend is { } attend)
            visible = visible.logical_and(attend.unsqueeze(1));                  // [b, t, s]
        return CrossAttentionMask.ToScores(visible, Type);
    }
}
