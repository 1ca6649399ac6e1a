using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace FlamingoSharp.Encoders;

/// <summary>The hierarchical token-semantic audio transformer itself: from a log-mel spectrogram to the tokens of the last stage.</summary>
/// <remarks>
/// Shapes: n sounds, f frames, m mel bands, k chunks of time, l frames in a chunk, t tokens, c width. Tokens are in Z order.<br/>
/// Source: HTS-AT (arXiv 2202.00874).
/// </remarks>
internal sealed class HtsatTrunk : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "bn0")] private readonly BatchNorm _melNorm;
    [ComponentName(Name = "patch_embed")] private readonly PatchEmbedding _patches;
    [ComponentName(Name = "layers")] private readonly TorchSharp.Modules.ModuleList<SwinStage> _stages;
    [ComponentName(Name = "norm")] private readonly LayerNorm _norm;
    [ComponentName(Name = "tscam_conv")] private readonly Convolution? _classes;
    [ComponentName(Name = "head")] private readonly LinearLayer? _head;
    private readonly TimeStretch _stretch;
    private readonly DeviceConstant _timeFrequency;
    private readonly HtsatOptions _options;

    public HtsatTrunk(HtsatOptions options)
        : base(nameof(HtsatTrunk))
    {
        _options = options;
        _melNorm = new BatchNorm(options.Mel.Mels);
        _patches = new PatchEmbedding(options);
        _stages = new TorchSharp.Modules.ModuleList<SwinStage>([.. Enumerable.Range(0, options.Stages).Select(i => new SwinStage(options, i, DropPath(i)))]);
        _norm = new LayerNorm(options.LatentDim);
        _classes = options.Classes > 0 ? new Convolution(options.LatentDim, options.Classes, (BandsPerChunk, 3), (0, 1)) : null;
        _head = options.Classes > 0 ? new LinearLayer(options.Classes, options.Classes) : null;
        _stretch = new TimeStretch(options.ImageFrames);
        _timeFrequency = new DeviceConstant(() => tensor(TimeFrequencyOrder()));
        RegisterComponents();
    }

    // Rows of the last grid that one chunk of time fills.
    private int BandsPerChunk => _options.Resolution(_options.Stages - 1) / _options.Chunks;

    /// <summary>A further class layer that checkpoints carry and nothing uses.</summary>
    public LinearLayer? UnusedHead => _head;

    /// <summary>What is blanked in training; null for nothing.</summary>
    public SpecAugment? Augment { get; set; }

    /// <param name="logMel">[n, f, m]</param>
    /// <returns>[n, t, c]</returns>
    public override Tensor forward(Tensor logMel) => Encode(logMel, null);

    /// <inheritdoc cref="forward"/>
    public Tensor Encode(Tensor logMel, Action<string, Tensor>? probe)
    {
        using var scope = NewDisposeScope();
        var x = _melNorm.forward(logMel.to_type(_norm.Type));                                           // [n, f, m]
        probe?.Invoke("bn0", x.transpose(1, 2));
        if (training && Augment is not null)
            x = Augment.Apply(x);
        x = _stretch.forward(x).view(x.shape[0], _options.Chunks, _options.ImageSize, _options.Mel.Mels);  // [n, k, l, m]
        probe?.Invoke("image", x.transpose(2, 3).reshape(-1, 1, _options.ImageSize, _options.ImageSize));
        x = _patches.forward(x);                                                                        // [n, t, c]
        probe?.Invoke("patch_embed", ZOrder.RowMajor(x));
        foreach (var stage in _stages)
            x = stage.Encode(x, probe);
        x = _norm.forward(x);
        probe?.Invoke("norm", ZOrder.RowMajor(x));
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>Lays tokens out as [frequency, time]: chunks of time side by side, not stacked.</summary>
    /// <param name="tokens">[n, t, c] in Z order</param>
    /// <returns>[n, t, c], row-major over frequency and time</returns>
    public Tensor ToTimeFrequency(Tensor tokens) => tokens.index_select(1, _timeFrequency.On(tokens.device));

    /// <summary>The probability of each AudioSet class.</summary>
    /// <param name="tokens">[n, t, c] in Z order</param>
    /// <returns>[n, classes]</returns>
    /// <exception cref="FlamingoException">The encoder was built without classes.</exception>
    public Tensor Classify(Tensor tokens)
    {
        var head = _classes ?? throw new FlamingoException(FlamingoErrorKind.Usage,
            "This encoder has no class head. Build it with the number of classes of its checkpoint.");
        using var scope = NewDisposeScope();
        var grid = ToTimeFrequency(tokens).transpose(1, 2).reshape(tokens.shape[0], tokens.shape[2], BandsPerChunk, -1);
        return head.forward(grid).flatten(2).mean([2]).sigmoid().MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _stretch.Dispose();
            _timeFrequency.Dispose();
        }
        base.Dispose(disposing);
    }

    // From 0 at the first block of the encoder to the configured chance at its last.
    private double[] DropPath(int stage)
    {
        int before = _options.Depths.Take(stage).Sum(), all = _options.Depths.Sum();
        return [.. Enumerable.Range(before, _options.Depths[stage]).Select(i => all == 1 ? 0 : _options.DropPath * i / (all - 1))];
    }

    private long[] TimeFrequencyOrder()
    {
        int side = _options.Resolution(_options.Stages - 1);
        long[] places = ZOrder.ToRowMajor(side);
        return [.. from band in Enumerable.Range(0, BandsPerChunk)
                   from chunk in Enumerable.Range(0, _options.Chunks)
                   from column in Enumerable.Range(0, side)
                   select places[(chunk * BandsPerChunk + band) * side + column]];
    }
}

/// <summary>The level at which a ClapCap checkpoint keeps the transformer: <c>base.htsat</c>.</summary>
internal sealed class ClapBase : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "htsat")] private readonly HtsatTrunk _htsat;

    public ClapBase(HtsatOptions options)
        : base(nameof(ClapBase))
    {
        _htsat = new HtsatTrunk(options);
        RegisterComponents();
    }

    public HtsatTrunk Htsat => _htsat;

    public override Tensor forward(Tensor logMel) => _htsat.forward(logMel);
}
