using FlamingoSharp.Runtime;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlamingoSharp.Models;

/// <summary>Sizes of the gated cross-attention blocks.</summary>
public sealed record CrossAttentionOptions
{
    /// <summary>Attention heads. Source: Audio Flamingo's released configuration.</summary>
    public int Heads { get; init; } = 8;

    /// <summary>Width of one head.</summary>
    public int HeadWidth { get; init; } = 64;

    /// <summary>Hidden width of the feed-forward part, in multiples of the text width.</summary>
    public int FeedForwardMultiple { get; init; } = 4;

    /// <summary>A block stands before layer i (from 0) when (i + 1) is a multiple of this; 1 = before every layer.</summary>
    public int EveryLayers { get; init; } = 1;
}

/// <summary>The keys and values of the sounds for one block, computed once and used at every step of a generation.</summary>
/// <param name="Keys">[b, h, l, e]</param> <param name="Values">[b, h, l, e]</param>
internal sealed record MediaKeyValues(Tensor Keys, Tensor Values);

/// <summary>Lets text attend to audio. Both gates start at 0, so a new block is the identity.</summary>
/// <remarks>
/// Shapes: b batch, t text tokens, l audio vectors, h heads, e head width, d text width, c audio width.<br/>
/// Source: Flamingo §3.1.2 (arXiv 2204.14198); Audio Flamingo §3 (arXiv 2402.01831).
/// </remarks>
internal sealed class GatedCrossAttention : Module
{
    [ComponentName(Name = "attn_gate")] private readonly Parameter _attentionGate;
    [ComponentName(Name = "ff_gate")] private readonly Parameter _feedForwardGate;
    [ComponentName(Name = "attn")] private readonly CrossAttention _attention;
    [ComponentName(Name = "ff")] private readonly GatedFeedForward _feedForward;

    public GatedCrossAttention(int width, int audioWidth, CrossAttentionOptions options)
        : base(nameof(GatedCrossAttention))
    {
        _attentionGate = new Parameter(empty(1, device: META));
        _feedForwardGate = new Parameter(empty(1, device: META));
        _attention = new CrossAttention(width, audioWidth, options);
        _feedForward = new GatedFeedForward(width, width * options.FeedForwardMultiple);
        RegisterComponents();
    }

    /// <summary>The part of the attention that depends on the sounds alone.</summary>
    /// <param name="media">[b, l, c]</param>
    public MediaKeyValues Project(Tensor media) => _attention.Project(media);

    /// <param name="text">[b, t, d]</param>
    /// <param name="media">From <see cref="Project"/>; null for text without any sound, whose attention adds nothing.</param>
    /// <param name="scores">[b, 1, t, l], added before the softmax; see <see cref="CrossAttentionMask.ToScores"/>.</param>
    /// <param name="probe">Receives intermediate results by name; for tests.</param>
    public Tensor forward(Tensor text, MediaKeyValues? media, Tensor? scores, Action<string, Tensor>? probe = null)
    {
        using var scope = NewDisposeScope();
        var x = text;                                                            // [b, t, d]
        if (media is not null)
        {
            var heard = _attention.forward(x, media, scores, probe);             // [b, t, d]
            probe?.Invoke("attn_out", heard);
            x = x.Plus(_attentionGate.tanh() * heard);                           // [b, t, d]
        }
        x = x.Plus(_feedForwardGate.tanh() * _feedForward.forward(x));           // [b, t, d]
        return x.MoveToOuterDisposeScope();
    }
}

/// <summary>Multi-head attention from text to audio vectors, after a norm of the text.</summary>
/// <remarks>Shapes as in <see cref="GatedCrossAttention"/>. No biases except the norm's.</remarks>
internal sealed class CrossAttention : Module
{
    private readonly int _heads;
    private readonly int _headWidth;
    [ComponentName(Name = "norm")] private readonly LayerNorm _norm;
    [ComponentName(Name = "to_q")] private readonly LinearLayer _query;
    [ComponentName(Name = "to_kv")] private readonly LinearLayer _keyValue;
    [ComponentName(Name = "to_out")] private readonly LinearLayer _output;

    public CrossAttention(int width, int audioWidth, CrossAttentionOptions options)
        : base(nameof(CrossAttention))
    {
        (_heads, _headWidth) = (options.Heads, options.HeadWidth);
        int inner = _heads * _headWidth;
        _norm = new LayerNorm(width);
        _query = new LinearLayer(width, inner, bias: false);
        _keyValue = new LinearLayer(audioWidth, 2 * inner, bias: false);
        _output = new LinearLayer(inner, width, bias: false);
        RegisterComponents();
    }

    /// <param name="media">[b, l, c]</param>
    public MediaKeyValues Project(Tensor media)
    {
        using var scope = NewDisposeScope();
        var halves = _keyValue.forward(media).chunk(2, dim: -1);                 // 2 x [b, l, h*e]
        return new MediaKeyValues(
            SplitHeads(halves[0]).contiguous().MoveToOuterDisposeScope(),        // [b, h, l, e]
            SplitHeads(halves[1]).contiguous().MoveToOuterDisposeScope());
    }

    /// <param name="text">[b, t, d]</param> <param name="media">Batch b, or 1 for every row alike.</param> <param name="scores">[b, 1, t, l]</param>
    /// <param name="probe">Receives <c>attn_weights</c>, [b, h, t, l], and <c>attn_weighted</c>, [b, t, d]: what those weights make of the values.</param>
    public Tensor forward(Tensor text, MediaKeyValues media, Tensor? scores, Action<string, Tensor>? probe = null)
    {
        using var scope = NewDisposeScope();
        long b = text.shape[0], t = text.shape[1];
        var q = SplitHeads(_query.forward(_norm.forward(text)));                 // [b, h, t, e]
        var (k, v) = (media.Keys, media.Values);
        if (k.shape[0] != b)
            (k, v) = (k.expand(b, -1, -1, -1), v.expand(b, -1, -1, -1));         // one set of sounds for every row
        var mixed = functional.scaled_dot_product_attention(q, k, v, scores!);   // [b, h, t, e]
        if (probe is not null)
            Expose(q, k, v, scores, probe);
        return Merged(mixed).MoveToOuterDisposeScope();                          // [b, t, d]
    }

    // The fused kernel keeps its weights to itself, so they are computed again.
    private void Expose(Tensor q, Tensor k, Tensor v, Tensor? scores, Action<string, Tensor> probe)
    {
        using var scope = NewDisposeScope();
        var logits = q.matmul(k.transpose(-1, -2)).Times(Math.Pow(_headWidth, -0.5)); // [b, h, t, l]
        var weights = (scores is null ? logits : logits.Plus(scores)).softmax(-1); // [b, h, t, l]
        probe("attn_weights", weights);
        probe("attn_weighted", Merged(weights.matmul(v)));                       // [b, t, d]
    }

    private Tensor Merged(Tensor mixed) => _output.forward(mixed.transpose(1, 2).reshape(mixed.shape[0], mixed.shape[2], -1));

    private Tensor SplitHeads(Tensor x) => x.view(x.shape[0], x.shape[1], _heads, _headWidth).transpose(1, 2);
}

/// <summary>Norm, widen, GELU, narrow; the layers carry the numbers they have in the reference's sequence.</summary>
internal sealed class GatedFeedForward : Module<Tensor, Tensor>
{
    [ComponentName(Name = "0")] private readonly LayerNorm _norm;
    [ComponentName(Name = "1")] private readonly LinearLayer _widen;
    [ComponentName(Name = "3")] private readonly LinearLayer _narrow;

    public GatedFeedForward(int width, int inner)
        : base(nameof(GatedFeedForward))
    {
        _norm = new LayerNorm(width);
        _widen = new LinearLayer(width, inner, bias: false);
        _narrow = new LinearLayer(inner, width, bias: false);
        RegisterComponents();
    }

    /// <param name="x">[b, t, d]</param>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return _narrow.forward(functional.gelu(_widen.forward(_norm.forward(x)))).MoveToOuterDisposeScope(); // [b, t, d]
    }
}
