using FlamingoSharp.Generation;
using FlamingoSharp.Runtime;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlamingoSharp.Models;

/// <summary>The Qwen2.5 language model, with gated cross-attention before its layers.</summary>
/// <remarks>
/// Shapes as in <see cref="LanguageModel"/>. Pre-norm layers with RMS norms, rotary positions, grouped-query attention, SwiGLU.<br/>
/// Source: Qwen2.5 (arXiv 2412.15115).
/// </remarks>
internal sealed class Qwen2Decoder : LanguageModel
{
    private readonly Qwen2Options _options;
    [ComponentName(Name = "embed_tokens")] private readonly Embedding _tokens;
    [ComponentName(Name = "layers")] private readonly ModuleList<ConditionedLayer<Qwen2Layer>> _layers;
    [ComponentName(Name = "norm")] private readonly RmsNorm _norm;
    [ComponentName(Name = "lm_head")] private readonly LinearLayer? _head;
    private readonly TiedHead _tiedHead;

    public Qwen2Decoder(Qwen2Options options, int audioWidth, CrossAttentionOptions crossAttention)
        : base(nameof(Qwen2Decoder), options)
    {
        _options = options;
        _tokens = new Embedding(options.VocabularySize, options.HiddenSize);
        _layers = ConditionedLayer<Qwen2Layer>.Stack("gated_cross_attn_layer_sound", options, audioWidth, crossAttention, () => new Qwen2Layer(options));
        _norm = new RmsNorm(options.HiddenSize, options.NormEpsilon);
        _head = options.TiedHead ? null : new LinearLayer(options.HiddenSize, options.VocabularySize, bias: false);
        _tiedHead = new TiedHead(_tokens);
        RegisterComponents();
    }

    /// <inheritdoc/>
    protected override Embedding Tokens => _tokens;

    /// <inheritdoc/>
    public override BeamLengthRule BeamLengthRule => BeamLengthRule.GeneratedWithStop;

    /// <inheritdoc/>
    public override string CheckpointPath => "lang_encoder.model";

    /// <inheritdoc/>
    public override Tensor Logits(Tensor hidden) => _head is null ? _tiedHead.forward(hidden) : _head.forward(hidden);

    /// <inheritdoc/>
    public override ScalarType? ComputeType
    {
        set => base.ComputeType = _tiedHead.ComputeType = value;
    }

    /// <inheritdoc/>
    protected override GatedCrossAttention? CrossAttentionBefore(int layer) => _layers[layer].CrossAttention;

    /// <inheritdoc/>
    protected override Tensor Embed(LanguageInput input) => _tokens.forward(input.Ids);

    /// <inheritdoc/>
    protected override RotaryPositions? Rotary(LanguageInput input)
    {
        // Places are counted whatever is padded, as in the reference.
        long past = input.Cache?.Length ?? 0;
        return RotaryPositions.Create(past, input.Ids.shape[1], HeadWidth, _options.RotaryBase, input.Ids.device);
    }

    /// <inheritdoc/>
    protected override Tensor Layer(int layer, Tensor x, Tensor? scores, bool causal, RotaryPositions? rotary, LanguageInput input) =>
        _layers[layer].Layer.forward(x, scores, causal, rotary!, input.Cache, layer);

    /// <inheritdoc/>
    protected override Tensor FinalNorm(Tensor x) => _norm.forward(x);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _tiedHead.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>One Qwen2.5 layer: norm, self-attention, add; norm, gated feed-forward, add.</summary>
internal sealed class Qwen2Layer : Module
{
    [ComponentName(Name = "self_attn")] private readonly Qwen2SelfAttention _attention;
    [ComponentName(Name = "mlp")] private readonly Qwen2FeedForward _feedForward;
    [ComponentName(Name = "input_layernorm")] private readonly RmsNorm _attentionNorm;
    [ComponentName(Name = "post_attention_layernorm")] private readonly RmsNorm _feedForwardNorm;

    public Qwen2Layer(Qwen2Options options)
        : base(nameof(Qwen2Layer))
    {
        _attention = new Qwen2SelfAttention(options);
        _feedForward = new Qwen2FeedForward(options);
        _attentionNorm = new RmsNorm(options.HiddenSize, options.NormEpsilon);
        _feedForwardNorm = new RmsNorm(options.HiddenSize, options.NormEpsilon);
        RegisterComponents();
    }

    /// <param name="x">[b, t, d]</param> <param name="scores">[b, 1, t, s] or null</param> <param name="causal">True for the plain causal mask.</param>
    /// <param name="rotary">Places of the new tokens.</param> <param name="cache">Past tokens.</param> <param name="layer">This layer's number in the cache.</param>
    public Tensor forward(Tensor x, Tensor? scores, bool causal, RotaryPositions rotary, KeyValueCache? cache, int layer)
    {
        using var scope = NewDisposeScope();
        x = x.Plus(_attention.forward(_attentionNorm.forward(x), scores, causal, rotary, cache, layer)); // [b, t, d]
        return x.Plus(_feedForward.forward(_feedForwardNorm.forward(x))).MoveToOuterDisposeScope();      // [b, t, d]
    }
}

/// <summary>Causal self-attention in which several query heads share a key head.</summary>
/// <remarks>h query heads, g key heads, e head width; query, key and value have biases, the output has none.</remarks>
internal sealed class Qwen2SelfAttention : Module
{
    private readonly int _heads;
    private readonly int _keyHeads;
    [ComponentName(Name = "q_proj")] private readonly LinearLayer _query;
    [ComponentName(Name = "k_proj")] private readonly LinearLayer _key;
    [ComponentName(Name = "v_proj")] private readonly LinearLayer _value;
    [ComponentName(Name = "o_proj")] private readonly LinearLayer _output;

    public Qwen2SelfAttention(Qwen2Options options)
        : base(nameof(Qwen2SelfAttention))
    {
        (_heads, _keyHeads) = (options.Heads, options.KeyValueHeads);
        int d = options.HiddenSize, shared = d / _heads * _keyHeads;
        _query = new LinearLayer(d, d);
        _key = new LinearLayer(d, shared);
        _value = new LinearLayer(d, shared);
        _output = new LinearLayer(d, d, bias: false);
        RegisterComponents();
    }

    public Tensor forward(Tensor x, Tensor? scores, bool causal, RotaryPositions rotary, KeyValueCache? cache, int layer)
    {
        using var scope = NewDisposeScope();
        var q = rotary.Rotate(SplitHeads(_query.forward(x), _heads));            // [b, h, t, e]
        var k = rotary.Rotate(SplitHeads(_key.forward(x), _keyHeads));           // [b, g, t, e]
        var v = SplitHeads(_value.forward(x), _keyHeads);
        if (cache is not null)
            (k, v) = cache.Append(layer, k, v);                                  // [b, g, s, e]
        long repeats = _heads / _keyHeads;
        var mixed = functional.scaled_dot_product_attention(
            q, k.repeat_interleave(repeats, 1), v.repeat_interleave(repeats, 1), scores!, is_casual: causal); // [b, h, t, e]
        return _output.forward(mixed.transpose(1, 2).reshape(x.shape)).MoveToOuterDisposeScope(); // [b, t, d]
    }

    private static Tensor SplitHeads(Tensor x, int heads) => x.view(x.shape[0], x.shape[1], heads, x.shape[2] / heads).transpose(1, 2);
}

/// <summary>SwiGLU: one half gates the other (arXiv 2002.05202).</summary>
internal sealed class Qwen2FeedForward : Module<Tensor, Tensor>
{
    [ComponentName(Name = "gate_proj")] private readonly LinearLayer _gate;
    [ComponentName(Name = "up_proj")] private readonly LinearLayer _up;
    [ComponentName(Name = "down_proj")] private readonly LinearLayer _down;

    public Qwen2FeedForward(Qwen2Options options)
        : base(nameof(Qwen2FeedForward))
    {
        _gate = new LinearLayer(options.HiddenSize, options.FeedForward, bias: false);
        _up = new LinearLayer(options.HiddenSize, options.FeedForward, bias: false);
        _down = new LinearLayer(options.FeedForward, options.HiddenSize, bias: false);
        RegisterComponents();
    }

    /// <param name="x">[b, t, d]</param>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return _down.forward(functional.silu(_gate.forward(x)).mul(_up.forward(x))).MoveToOuterDisposeScope(); // [b, t, d]
    }
}
