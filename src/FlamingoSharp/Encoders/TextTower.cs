using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace FlamingoSharp.Encoders;

/// <summary>Reads a text in both directions and gives one vector: RoBERTa, or a small one of the same form.</summary>
/// <remarks>
/// Shapes: b texts, t tokens, d width, h heads, e head width. Post-norm layers. Parameters carry RoBERTa's names.<br/>
/// Source: RoBERTa (arXiv 1907.11692).
/// </remarks>
internal sealed class TextTower : nn.Module<Tensor, Tensor, Tensor>
{
    /// <summary>The row of the position table that the first token takes; padding takes the one before.</summary>
    public const int FirstPosition = 2;

    [ComponentName(Name = "embeddings")] private readonly TextEmbeddings _embeddings;
    [ComponentName(Name = "encoder")] private readonly TextLayers _layers;
    [ComponentName(Name = "pooler")] private readonly Dense? _pooler;

    public TextTower(TextTowerOptions options)
        : base(nameof(TextTower))
    {
        options.Validate();
        _embeddings = new TextEmbeddings(options);
        _layers = new TextLayers(options);
        _pooler = options.Pooling == TextPooling.FirstToken ? new Dense(options.Width, options.Width) : null;
        RegisterComponents();
    }

    /// <param name="ids">int64 [b, t]</param> <param name="attend">bool [b, t], false for padding; at least one true a row</param>
    /// <returns>[b, d]</returns>
    public override Tensor forward(Tensor ids, Tensor attend) => Encode(ids, attend, null);

    /// <summary>Reads, and shows intermediate results.</summary>
    /// <param name="ids">int64 [b, t]</param> <param name="attend">bool [b, t], false for padding</param>
    /// <param name="probe">Is shown the last layer's output, [b, t, d], as <c>hidden</c>, and the vector as <c>pooler</c>.</param>
    /// <returns>[b, d]</returns>
    public Tensor Encode(Tensor ids, Tensor attend, Action<string, Tensor>? probe)
    {
        using var scope = NewDisposeScope();
        var x = _embeddings.forward(ids, attend);                                   // [b, t, d]
        x = _layers.forward(x, attend);
        probe?.Invoke("hidden", x);
        x = _pooler is null ? Mean(x, attend) : _pooler.forward(x.select(1, 0)).tanh(); // [b, d]
        probe?.Invoke("pooler", x);
        return x.MoveToOuterDisposeScope();
    }

    private static Tensor Mean(Tensor x, Tensor attend)
    {
        var weights = attend.to_type(x.dtype).unsqueeze(-1);                        // [b, t, 1]
        return (x * weights).sum([1]) / weights.sum([1]);
    }
}

/// <summary>What a token is, plus where it stands, normalised.</summary>
internal sealed class TextEmbeddings : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "word_embeddings")] private readonly Embedding _words;
    [ComponentName(Name = "position_embeddings")] private readonly Embedding _positions;
    [ComponentName(Name = "token_type_embeddings")] private readonly Embedding _type;
    [ComponentName(Name = "LayerNorm")] private readonly LayerNorm _norm;
    private readonly double _dropout;

    public TextEmbeddings(TextTowerOptions options)
        : base(nameof(TextEmbeddings))
    {
        _dropout = options.Dropout;
        _words = new Embedding(options.VocabularySize, options.Width);
        _positions = new Embedding(options.Positions, options.Width);
        _type = new Embedding(1, options.Width); // one kind of text
        _norm = new LayerNorm(options.Width, options.NormEpsilon);
        RegisterComponents();
    }

    /// <param name="ids">[b, t]</param> <param name="attend">[b, t]</param>
    /// <returns>[b, t, d]</returns>
    public override Tensor forward(Tensor ids, Tensor attend)
    {
        using var scope = NewDisposeScope();
        var positions = (attend.to_type(ScalarType.Int64).cumsum(1) * attend).Plus(TextTower.FirstPosition - 1); // [b, t]
        var x = _norm.forward(_words.forward(ids).Plus(_positions.forward(positions)).Plus(_type.Weight));
        return nn.functional.dropout(x, _dropout, training).MoveToOuterDisposeScope();
    }
}

/// <summary>The stack of layers.</summary>
internal sealed class TextLayers : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "layer")] private readonly TorchSharp.Modules.ModuleList<TextLayer> _layers;

    public TextLayers(TextTowerOptions options)
        : base(nameof(TextLayers))
    {
        _layers = new TorchSharp.Modules.ModuleList<TextLayer>([.. Enumerable.Range(0, options.Layers).Select(_ => new TextLayer(options))]);
        RegisterComponents();
    }

    /// <param name="x">[b, t, d]</param> <param name="attend">[b, t]</param>
    /// <returns>[b, t, d]</returns>
    public override Tensor forward(Tensor x, Tensor attend)
    {
        using var scope = NewDisposeScope();
        var visible = attend.view(attend.shape[0], 1, 1, attend.shape[1]).expand(-1, -1, attend.shape[1], -1); // [b, 1, t, t]
        foreach (var layer in _layers)
            x = layer.forward(x, visible);
        return x.MoveToOuterDisposeScope();
    }
}

/// <summary>Self-attention, add, norm; feed-forward, add, norm.</summary>
internal sealed class TextLayer : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "attention")] private readonly TextAttention _attention;
    [ComponentName(Name = "intermediate")] private readonly Dense _widen;
    [ComponentName(Name = "output")] private readonly AddAndNorm _narrow;

    public TextLayer(TextTowerOptions options)
        : base(nameof(TextLayer))
    {
        _attention = new TextAttention(options);
        _widen = new Dense(options.Width, options.FeedForward);
        _narrow = new AddAndNorm(options.FeedForward, options);
        RegisterComponents();
    }

    /// <param name="x">[b, t, d]</param> <param name="visible">bool [b, 1, t, t]</param>
    /// <returns>[b, t, d]</returns>
    public override Tensor forward(Tensor x, Tensor visible)
    {
        using var scope = NewDisposeScope();
        x = _attention.forward(x, visible);
        return _narrow.forward(nn.functional.gelu(_widen.forward(x)), x).MoveToOuterDisposeScope();
    }
}

/// <summary>Every token looks at all tokens of its text; the result is added back and normalised.</summary>
internal sealed class TextAttention : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "self")] private readonly TextHeads _heads;
    [ComponentName(Name = "output")] private readonly AddAndNorm _output;

    public TextAttention(TextTowerOptions options)
        : base(nameof(TextAttention))
    {
        _heads = new TextHeads(options);
        _output = new AddAndNorm(options.Width, options);
        RegisterComponents();
    }

    /// <inheritdoc cref="TextLayer.forward"/>
    public override Tensor forward(Tensor x, Tensor visible)
    {
        using var scope = NewDisposeScope();
        return _output.forward(_heads.forward(x, visible), x).MoveToOuterDisposeScope();
    }
}

/// <summary>The heads of an attention, side by side.</summary>
internal sealed class TextHeads : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "query")] private readonly LinearLayer _query;
    [ComponentName(Name = "key")] private readonly LinearLayer _key;
    [ComponentName(Name = "value")] private readonly LinearLayer _value;
    private readonly int _heads;
    private readonly double _dropout;

    public TextHeads(TextTowerOptions options)
        : base(nameof(TextHeads))
    {
        (_heads, _dropout) = (options.Heads, options.Dropout);
        _query = new LinearLayer(options.Width, options.Width);
        _key = new LinearLayer(options.Width, options.Width);
        _value = new LinearLayer(options.Width, options.Width);
        RegisterComponents();
    }

    /// <inheritdoc cref="TextLayer.forward"/>
    public override Tensor forward(Tensor x, Tensor visible)
    {
        using var scope = NewDisposeScope();
        var mixed = nn.functional.scaled_dot_product_attention(
            Split(_query.forward(x)), Split(_key.forward(x)), Split(_value.forward(x)), visible, training ? _dropout : 0); // [b, h, t, e]
        return mixed.transpose(1, 2).reshape(x.shape).MoveToOuterDisposeScope();                                           // [b, t, d]
    }

    private Tensor Split(Tensor x) => x.view(x.shape[0], x.shape[1], _heads, x.shape[2] / _heads).transpose(1, 2);
}

/// <summary>A linear layer under the name that the checkpoint gives it.</summary>
internal sealed class Dense : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "dense")] private readonly LinearLayer _layer;

    public Dense(int inputs, int outputs)
        : base(nameof(Dense))
    {
        _layer = new LinearLayer(inputs, outputs);
        RegisterComponents();
    }

    /// <param name="x">[…, inputs]</param>
    /// <returns>[…, outputs]</returns>
    public override Tensor forward(Tensor x) => _layer.forward(x);
}

/// <summary>A linear layer whose result is added to what it started from and normalised.</summary>
internal sealed class AddAndNorm : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "dense")] private readonly LinearLayer _layer;
    [ComponentName(Name = "LayerNorm")] private readonly LayerNorm _norm;
    private readonly double _dropout;

    public AddAndNorm(int inputs, TextTowerOptions options)
        : base(nameof(AddAndNorm))
    {
        _dropout = options.Dropout;
        _layer = new LinearLayer(inputs, options.Width);
        _norm = new LayerNorm(options.Width, options.NormEpsilon);
        RegisterComponents();
    }

    /// <param name="x">[b, t, inputs]</param> <param name="residual">[b, t, d]</param>
    /// <returns>[b, t, d]</returns>
    public override Tensor forward(Tensor x, Tensor residual)
    {
        using var scope = NewDisposeScope();
        return _norm.forward(nn.functional.dropout(_layer.forward(x), _dropout, training).Plus(residual)).MoveToOuterDisposeScope();
    }
}
