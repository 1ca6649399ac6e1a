using FlamingoSharp.Generation;
using FlamingoSharp.Runtime;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlamingoSharp.Models;

/// <summary>The OPT language model, with gated cross-attention before its layers.</summary>
/// <remarks>
/// Shapes as in <see cref="LanguageModel"/>. Pre-norm layers, learned positions, ReLU, tied head.<br/>
/// Source: OPT (arXiv 2205.01068); OPT-IML (arXiv 2212.12017).
/// </remarks>
internal sealed class OptDecoder : LanguageModel
{
    // OPT keeps two unused rows before position 0; a padded token takes the second of them.
    private const int PositionOffset = 2;

    private readonly OptOptions _options;
    [ComponentName(Name = "embed_tokens")] private readonly Embedding _tokens;
    [ComponentName(Name = "embed_positions")] private readonly Embedding _positions;
    [ComponentName(Name = "layers")] private readonly ModuleList<ConditionedLayer<OptLayer>> _layers;
    [ComponentName(Name = "final_layer_norm")] private readonly LayerNorm _norm;
    private readonly TiedHead _head;

    public OptDecoder(OptOptions options, int audioWidth, CrossAttentionOptions crossAttention)
        : base(nameof(OptDecoder), options)
    {
        _options = options;
        _tokens = new Embedding(options.VocabularySize, options.HiddenSize);
        _positions = new Embedding(options.MaxPositions + PositionOffset, options.HiddenSize);
        _layers = ConditionedLayer<OptLayer>.Stack("gated_cross_attn_layer", options, audioWidth, crossAttention, () => new OptLayer(options));
        _norm = new LayerNorm(options.HiddenSize);
        _head = new TiedHead(_tokens);
        RegisterComponents();
    }

    /// <inheritdoc/>
    protected override Embedding Tokens => _tokens;

    /// <inheritdoc/>
    public override BeamLengthRule BeamLengthRule => BeamLengthRule.PromptAndGenerated;

    /// <inheritdoc/>
    public override string CheckpointPath => "lang_encoder.model.decoder";

    /// <summary>The embedding, tied to the head.</summary>
    public Parameter TokenWeights => _tokens.Weight;

    /// <inheritdoc/>
    public override Tensor Logits(Tensor hidden) => _head.forward(hidden);

    /// <inheritdoc/>
    public override ScalarType? ComputeType
    {
        set => base.ComputeType = _head.ComputeType = value;
    }

    /// <inheritdoc/>
    protected override GatedCrossAttention? CrossAttentionBefore(int layer) => _layers[layer].CrossAttention;

    /// <inheritdoc/>
    protected override Tensor Embed(LanguageInput input)
    {
        using var scope = NewDisposeScope();
        long t = input.Ids.shape[1], past = input.Cache?.Length ?? 0;
        var positions = input.Attend is { } attend
            ? (attend.to_type(ScalarType.Int64).cumsum(1) * attend).narrow(1, past, t).Plus(PositionOffset - 1)
            : HeldScalars.Range(past + PositionOffset, past + PositionOffset + t, ScalarType.Int64, input.Ids.device).unsqueeze(0);
        var x = _tokens.forward(input.Ids).Plus(_positions.forward(positions));  // [b, t, d]
        return Drop(x, _options, training).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override Tensor Layer(int layer, Tensor x, Tensor? scores, bool causal, RotaryPositions? rotary, LanguageInput input) =>
        _layers[layer].Layer.forward(x, scores, causal, input.Cache, layer);

    /// <inheritdoc/>
    protected override Tensor FinalNorm(Tensor x) => _norm.forward(x);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _head.Dispose();
        base.Dispose(disposing);
    }

    internal static Tensor Drop(Tensor x, OptOptions options, bool training) =>
        training && options.Dropout > 0 ? functional.dropout(x, options.Dropout, training: true) : x;
}

/// <summary>One OPT layer: norm, self-attention, add; norm, feed-forward, add.</summary>
internal sealed class OptLayer : Module
{
    private readonly OptOptions _options;
    [ComponentName(Name = "self_attn")] private readonly OptSelfAttention _attention;
    [ComponentName(Name = "self_attn_layer_norm")] private readonly LayerNorm _attentionNorm;
    [ComponentName(Name = "fc1")] private readonly LinearLayer _widen;
    [ComponentName(Name = "fc2")] private readonly LinearLayer _narrow;
    [ComponentName(Name = "final_layer_norm")] private readonly LayerNorm _feedForwardNorm;

    public OptLayer(OptOptions options)
        : base(nameof(OptLayer))
    {
        _options = options;
        _attention = new OptSelfAttention(options);
        _attentionNorm = new LayerNorm(options.HiddenSize);
        _widen = new LinearLayer(options.HiddenSize, options.FeedForward);
        _narrow = new LinearLayer(options.FeedForward, options.HiddenSize);
        _feedForwardNorm = new LayerNorm(options.HiddenSize);
        RegisterComponents();
    }

    /// <param name="x">[b, t, d]</param> <param name="scores">[b, 1, t, s] or null</param> <param name="causal">True for the plain causal mask.</param>
    /// <param name="cache">Past tokens.</param> <param name="layer">This layer's number in the cache.</param>
    public Tensor forward(Tensor x, Tensor? scores, bool causal, KeyValueCache? cache, int layer)
    {
        using var scope = NewDisposeScope();
        var attended = _attention.forward(_attentionNorm.forward(x), scores, causal, cache, layer);
        x = x.Plus(OptDecoder.Drop(attended, _options, training));               // [b, t, d]
        var fed = _narrow.forward(functional.relu(_widen.forward(_feedForwardNorm.forward(x))));
        x = x.Plus(OptDecoder.Drop(fed, _options, training));                    // [b, t, d]
        return x.MoveToOuterDisposeScope();
    }
}

/// <summary>Multi-head causal self-attention with biases.</summary>
internal sealed class OptSelfAttention : Module
{
    private readonly int _heads;
    [ComponentName(Name = "k_proj")] private readonly LinearLayer _key;
    [ComponentName(Name = "v_proj")] private readonly LinearLayer _value;
    [ComponentName(Name = "q_proj")] private readonly LinearLayer _query;
    [ComponentName(Name = "out_proj")] private readonly LinearLayer _output;

    public OptSelfAttention(OptOptions options)
        : base(nameof(OptSelfAttention))
    {
        _heads = options.Heads;
        int d = options.HiddenSize;
        _key = new LinearLayer(d, d);
        _value = new LinearLayer(d, d);
        _query = new LinearLayer(d, d);
        _output = new LinearLayer(d, d);
        RegisterComponents();
    }

    public Tensor forward(Tensor x, Tensor? scores, bool causal, KeyValueCache? cache, int layer)
    {
        using var scope = NewDisposeScope();
        var q = SplitHeads(_query.forward(x));                                   // [b, h, t, e]
        var k = SplitHeads(_key.forward(x));
        var v = SplitHeads(_value.forward(x));
        if (cache is not null)
            (k, v) = cache.Append(layer, k, v);                                  // [b, h, s, e]
        var mixed = functional.scaled_dot_product_attention(q, k, v, scores!, is_casual: causal); // [b, h, t, e]
        return _output.forward(mixed.transpose(1, 2).reshape(x.shape)).MoveToOuterDisposeScope(); // [b, t, d]
    }

    private Tensor SplitHeads(Tensor x) => x.view(x.shape[0], x.shape[1], _heads, x.shape[2] / _heads).transpose(1, 2);
}
