using FlamingoSharp.Runtime;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlamingoSharp.Models;

/// <summary>How the audio transformer knows the order of its input.</summary>
public enum AudioPositions
{
    /// <summary>A table of sines and cosines is added once (Audio Flamingo 1).</summary>
    Sinusoid,

    /// <summary>Queries and keys are rotated in every layer (Audio Flamingo 2).</summary>
    Rotary,
}

/// <summary>Sizes of the audio transformer. Defaults: Audio Flamingo 1.</summary>
public sealed record AudioTransformerOptions
{
    /// <summary>Layers.</summary>
    public int Layers { get; init; } = 3;

    /// <summary>Attention heads; divides <see cref="Width"/>.</summary>
    public int Heads { get; init; } = 8;

    /// <summary>Width of an audio vector.</summary>
    public int Width { get; init; } = 1024;

    /// <summary>Hidden width of the feed-forward part.</summary>
    public int FeedForward { get; init; } = 2048;

    /// <summary>How order is told.</summary>
    public AudioPositions Positions { get; init; } = AudioPositions.Sinusoid;

    /// <summary>Rows of the sinusoid table: the most audio vectors of one prompt.</summary>
    public int MaxVectors { get; init; } = 128;

    /// <summary>True hides padded windows from attention (Audio Flamingo 2); in Audio Flamingo 1 they take part.</summary>
    public bool MaskPadding { get; init; }

    /// <summary>Share of attention probabilities dropped in training; the reference drops 0.1 by a default its configuration never reaches.</summary>
    public double AttentionDropout { get; init; } = 0.1;
}

/// <summary>Relates the audio vectors of all windows to each other before the language model sees them.</summary>
/// <remarks>
/// Shapes: b batch, l audio vectors, c audio width, h heads, e head width. A post-norm encoder.<br/>
/// Source: Audio Flamingo §3 (arXiv 2402.01831), after "Attention is all you need" (arXiv 1706.03762).
/// </remarks>
internal sealed class AudioTransformer : Module
{
    private const double NormEpsilon = 1e-6;
    private readonly AudioTransformerOptions _options;
    [ComponentName(Name = "layer_stack")] private readonly ModuleList<AudioTransformerLayer> _layers;
    [ComponentName(Name = "layer_norm")] private readonly LayerNorm _norm;
    private Tensor? _table;

    public AudioTransformer(AudioTransformerOptions options)
        : base(nameof(AudioTransformer))
    {
        _options = options;
        _layers = new ModuleList<AudioTransformerLayer>([.. Enumerable.Range(0, options.Layers).Select(_ => new AudioTransformerLayer(options, NormEpsilon))]);
        _norm = new LayerNorm(options.Width, NormEpsilon);
        register_module("layer_stack", _layers);
        register_module("layer_norm", _norm);
    }

    /// <summary>Where the weights stand in a checkpoint: the two systems name it differently.</summary>
    public string CheckpointPath => _options.Positions == AudioPositions.Rotary ? "audio_transformer_clap" : "audio_transformer";

    /// <param name="audio">[b, l, c]</param>
    /// <param name="valid">[b, l], false for vectors of padded windows; used only where the options mask padding.</param>
    /// <param name="probe">Receives the output of each layer and the attention of the first; for tests.</param>
    /// <returns>[b, l, c]</returns>
    /// <exception cref="FlamingoException">There are more vectors than the table of positions has rows.</exception>
    public Tensor forward(Tensor audio, Tensor? valid = null, Action<string, Tensor>? probe = null)
    {
        using var scope = NewDisposeScope();
        long l = audio.shape[1];
        var x = audio.Times(Math.Sqrt(_options.Width));                          // [b, l, c]
        RotaryPositions? rotary = null;
        if (_options.Positions == AudioPositions.Sinusoid)
            x = x.Plus(Table(x.dtype, x.device).narrow(0, 0, CheckedLength(l)));
        else
            rotary = RotaryPositions.ForAudio(l, _options.Width / _options.Heads, x.device);
        x = _norm.forward(x);

        var scores = _options.MaskPadding && valid is not null
            ? zeros(valid.shape, x.dtype, x.device).FilledWhere(valid.logical_not(), -1e9).view(valid.shape[0], 1, 1, l)
            : null;                                                              // [b, 1, 1, l]
        int index = 0;
        foreach (var layer in _layers)
        {
            x = layer.forward(x, scores, rotary, index == 0 ? probe : null);     // [b, l, c]
            probe?.Invoke($"layer{index++}", x);
        }
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>The sinusoid table, [positions, c]: even columns sines, odd ones cosines, computed in double.</summary>
    internal static Tensor SinusoidTable(int positions, int width)
    {
        float[] values = new float[positions * width];
        for (int p = 0; p < positions; p++)
        {
            for (int j = 0; j < width; j++)
            {
                double angle = p / Math.Pow(10000, 2.0 * (j / 2) / width);
                values[p * width + j] = (float)(j % 2 == 0 ? Math.Sin(angle) : Math.Cos(angle));
            }
        }
        return tensor(values, [positions, width]);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _table?.Dispose();
        base.Dispose(disposing);
    }

    private Tensor Table(ScalarType type, Device device)
    {
        if (_table is null || _table.dtype != type || _table.device_type != device.type)
        {
            _table?.Dispose();
            using var table = SinusoidTable(_options.MaxVectors, _options.Width);
            _table = table.to(type, device, copy: true).DetachFromDisposeScope();
        }
        return _table;
    }

    private long CheckedLength(long l) => l <= _options.MaxVectors
        ? l
        : throw new FlamingoException(FlamingoErrorKind.Usage,
            $"The prompt holds {l} audio windows but this model has positions for {_options.MaxVectors}. Use fewer sounds or shots.");
}

/// <summary>One post-norm layer: self-attention, then a feed-forward part, each added to its input and normed.</summary>
internal sealed class AudioTransformerLayer : Module
{
    [ComponentName(Name = "slf_attn")] private readonly AudioSelfAttention _attention;
    [ComponentName(Name = "pos_ffn")] private readonly AudioFeedForward _feedForward;

    public AudioTransformerLayer(AudioTransformerOptions options, double epsilon)
        : base(nameof(AudioTransformerLayer))
    {
        _attention = new AudioSelfAttention(options, epsilon);
        _feedForward = new AudioFeedForward(options, epsilon);
        RegisterComponents();
    }

    /// <param name="x">[b, l, c]</param> <param name="scores">[b, 1, 1, l] or null</param>
    /// <param name="rotary">Positions, where they are rotary.</param> <param name="probe">For tests.</param>
    public Tensor forward(Tensor x, Tensor? scores, RotaryPositions? rotary, Action<string, Tensor>? probe)
    {
        using var scope = NewDisposeScope();
        return _feedForward.forward(_attention.forward(x, scores, rotary, probe)).MoveToOuterDisposeScope();
    }
}

/// <summary>Self-attention over audio vectors. Shapes as in <see cref="AudioTransformer"/>.</summary>
internal sealed class AudioSelfAttention : Module
{
    private readonly int _heads;
    private readonly double _dropout;
    [ComponentName(Name = "w_qs")] private readonly LinearLayer _query;
    [ComponentName(Name = "w_ks")] private readonly LinearLayer _key;
    [ComponentName(Name = "w_vs")] private readonly LinearLayer _value;
    [ComponentName(Name = "fc")] private readonly LinearLayer _output;
    [ComponentName(Name = "layer_norm")] private readonly LayerNorm _norm;

    public AudioSelfAttention(AudioTransformerOptions options, double epsilon)
        : base(nameof(AudioSelfAttention))
    {
        (_heads, _dropout) = (options.Heads, options.AttentionDropout);
        int c = options.Width;
        _query = new LinearLayer(c, c, bias: false);
        _key = new LinearLayer(c, c, bias: false);
        _value = new LinearLayer(c, c, bias: false);
        _output = new LinearLayer(c, c, bias: false);
        _norm = new LayerNorm(c, epsilon);
        RegisterComponents();
    }

    public Tensor forward(Tensor x, Tensor? scores, RotaryPositions? rotary, Action<string, Tensor>? probe)
    {
        using var scope = NewDisposeScope();
        var q = SplitHeads(_query.forward(x));                                   // [b, h, l, e]
        var k = SplitHeads(_key.forward(x));
        var v = SplitHeads(_value.forward(x));
        if (rotary is not null)
            (q, k) = (rotary.Rotate(q), rotary.Rotate(k));
        if (probe is not null)
        {
            var similarity = q.Times(1 / Math.Sqrt(q.shape[3])).matmul(k.transpose(2, 3)); // [b, h, l, l]
            probe("attention", functional.softmax(scores is null ? similarity : similarity.Plus(scores), -1));
        }
        var mixed = functional.scaled_dot_product_attention(q, k, v, scores!, training ? _dropout : 0); // [b, h, l, e]
        var merged = mixed.transpose(1, 2).reshape(x.shape);                     // [b, l, c]
        return _norm.forward(_output.forward(merged).Plus(x)).MoveToOuterDisposeScope();
    }

    private Tensor SplitHeads(Tensor x) => x.view(x.shape[0], x.shape[1], _heads, x.shape[2] / _heads).transpose(1, 2);
}

/// <summary>Widen, ReLU, narrow, add, norm.</summary>
internal sealed class AudioFeedForward : Module<Tensor, Tensor>
{
    [ComponentName(Name = "w_1")] private readonly LinearLayer _widen;
    [ComponentName(Name = "w_2")] private readonly LinearLayer _narrow;
    [ComponentName(Name = "layer_norm")] private readonly LayerNorm _norm;

    public AudioFeedForward(AudioTransformerOptions options, double epsilon)
        : base(nameof(AudioFeedForward))
    {
        _widen = new LinearLayer(options.Width, options.FeedForward);
        _narrow = new LinearLayer(options.FeedForward, options.Width);
        _norm = new LayerNorm(options.Width, epsilon);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return _norm.forward(_narrow.forward(functional.relu(_widen.forward(x))).Plus(x)).MoveToOuterDisposeScope();
    }
}
