using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using TorchSharp.Utils;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace FlamingoSharp.Encoders;

/// <summary>The two towers of a CLAP model: sounds and texts become unit vectors of one space, whose products say how well they fit.</summary>
/// <remarks>
/// Shapes: n windows, s samples, b texts, t tokens, d dimensions of the shared space.<br/>
/// Parameters carry LAION-CLAP's names, but for the sound encoder, which is under <c>clap.*</c> as in every model here.<br/>
/// Source: CLAP (arXiv 2211.06687).
/// </remarks>
internal sealed class ClapTowers : nn.Module
{
    /// <summary>The natural logarithm of the scale that training starts from, 1/0.07 (CLIP, arXiv 2103.00020).</summary>
    public static readonly double FirstLogScale = Math.Log(1 / 0.07);

    private const double LeastNorm = 1e-12; // of a vector that is scaled to 1; torch's own floor

    [ComponentName(Name = "clap")] private readonly Htsat _audio;
    [ComponentName(Name = "audio_projection")] private readonly SharedSpace? _audioProjection;
    [ComponentName(Name = "text_branch")] private readonly TextTower? _text;
    [ComponentName(Name = "text_projection")] private readonly SharedSpace? _textProjection;
    [ComponentName(Name = "logit_scale_a")] private readonly Parameter? _logScale;
    private readonly bool _loudest;

    /// <param name="audio">The sound encoder.</param>
    /// <param name="loudest">True pools a window's vectors to their mean and their maximum side by side, false to their mean.</param>
    /// <param name="text">The text tower; null for a model of sounds alone, whose encoder's own projection is the shared space.</param>
    /// <param name="dimensions">Of the shared space.</param>
    public ClapTowers(HtsatOptions audio, bool loudest, TextTowerOptions? text, int dimensions)
        : base(nameof(ClapTowers))
    {
        _loudest = loudest;
        _audio = new Htsat(audio);
        if (text is not null)
        {
            _audioProjection = new SharedSpace(audio.OutputDim * (loudest ? 2 : 1), dimensions);
            _text = new TextTower(text);
            _textProjection = new SharedSpace(text.Width, dimensions);
            _logScale = UnfilledParameter.Of();
        }
        RegisterComponents();
    }

    /// <summary>The sound encoder.</summary>
    public Htsat Audio => _audio;

    /// <summary>The text tower; null in a model of sounds alone.</summary>
    public TextTower? Text => _text;

    /// <summary>The natural logarithm of the factor between similarities and logits, []; null in a model of sounds alone.</summary>
    public Parameter? LogScale => _logScale;

    /// <param name="audio">Samples at the encoder's rate, float32 [n, s].</param>
    /// <param name="probe">Is shown intermediate results, as in <see cref="Htsat"/>.</param>
    /// <returns>Unit vectors, [n, d].</returns>
    public Tensor EmbedAudio(Tensor audio, Action<string, Tensor>? probe = null)
    {
        using var scope = NewDisposeScope();
        return Shared(_audio.Encode(audio, probe)).MoveToOuterDisposeScope();
    }

    /// <param name="logMel">Decibels, [n, frames, mels].</param>
    /// <returns>Unit vectors, [n, d].</returns>
    public Tensor EmbedLogMel(Tensor logMel)
    {
        using var scope = NewDisposeScope();
        return Shared(_audio.ForwardLogMel(logMel)).MoveToOuterDisposeScope();
    }

    /// <param name="ids">int64 [b, t]</param> <param name="attend">bool [b, t], false for padding</param>
    /// <param name="probe">As in <see cref="TextTower.Encode"/>.</param>
    /// <returns>Unit vectors, [b, d].</returns>
    public Tensor EmbedText(Tensor ids, Tensor attend, Action<string, Tensor>? probe = null)
    {
        using var scope = NewDisposeScope();
        return Unit(_textProjection!.forward(_text!.Encode(ids, attend, probe))).MoveToOuterDisposeScope();
    }

    /// <summary>Scales the vectors of the last axis to length 1.</summary>
    public static Tensor Unit(Tensor vectors)
    {
        using var scope = NewDisposeScope();
        var norms = vectors.mul(vectors).sum(-1, keepdim: true).sqrt();
        return vectors.div(norms.Within(LeastNorm, double.MaxValue)).MoveToOuterDisposeScope();
    }

    // [n, v, c] to [n, d]
    private Tensor Shared(Tensor vectors)
    {
        var pooled = _loudest ? cat([vectors.mean([1]), vectors.amax([1])], 1) : vectors.mean([1]);
        return Unit(_audioProjection is null ? pooled : _audioProjection.forward(pooled));
    }
}

/// <summary>Linear, ReLU, linear: from a tower into the space that sounds and texts share.</summary>
internal sealed class SharedSpace : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "0")] private readonly LinearLayer _first;
    [ComponentName(Name = "2")] private readonly LinearLayer _second;

    public SharedSpace(int width, int dimensions)
        : base(nameof(SharedSpace))
    {
        _first = new LinearLayer(width, dimensions);
        _second = new LinearLayer(dimensions, dimensions);
        RegisterComponents();
    }

    /// <param name="x">[…, width]</param>
    /// <returns>[…, dimensions]</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return _second.forward(nn.functional.relu(_first.forward(x))).MoveToOuterDisposeScope();
    }
}
