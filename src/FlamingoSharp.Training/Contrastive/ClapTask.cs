using FlamingoSharp.Embeddings;
using FlamingoSharp.Encoders;
using FlamingoSharp.Runtime;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>The two towers of a CLAP model learn that a sound and what is said of it belong together.</summary>
/// <remarks>Shapes: n pairs, w windows of their sounds, f frames, m mel bands, t tokens, d dimensions.</remarks>
internal sealed class ClapTask : ITrainingTask
{
    private readonly ClapTowers _towers;
    private readonly ClapConfig _config;
    private readonly ClapTokenizer _tokens;
    private readonly MelStore _mels;
    private readonly IReadOnlyList<ClapSound> _training;
    private readonly ClapValidation? _validation;
    private readonly ClapTaskOptions _options;
    private readonly MelAugmentation _augmentation;
    private readonly BatchDraw _draw;

    public ClapTask(
        ClapTowers towers, ClapConfig config, Tokenizer tokenizer, MelStore mels, IReadOnlyList<ClapSound> training, IReadOnlyList<ClapSound> validation,
        ClapTaskOptions options, MelAugmentationOptions augmentation)
    {
        (_towers, _config, _mels, _training, _options) = (towers, config, mels, training, options);
        _tokens = new ClapTokenizer(tokenizer, config);
        _augmentation = new MelAugmentation(augmentation, mels.Options.Frames, mels.Options.Mel.Mels);
        _draw = new BatchDraw(training);
        _validation = validation.Count > 0 ? new ClapValidation(towers, _tokens, mels, training, validation, options.BatchSize) : null;
        Groups = GroupsOf(towers, options);
    }

    /// <inheritdoc/>
    public string Name => "clap";

    /// <inheritdoc/>
    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, Tensor Buffer)> Buffers =>
        [.. _towers.named_buffers().Where(b => !NameMap.IsComputed(b.name)).Select(b => (b.name, b.buffer))];

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Identity => new Dictionary<string, string>
    {
        ["sounds"] = $"{_training.Count}",
        ["model"] = _config.ToJson(),
        ["stage options"] = _options.ToString(),
    };

    /// <inheritdoc/>
    public void SetTraining(bool training) => _towers.train(training);

    /// <inheritdoc/>
    public ITrainingBatch Prepare(long index)
    {
        var random = SplitMix.At(_options.Seed, index);
        ClapSound[] sounds = [.. _draw.Draw(_options.BatchSize, random).Select(i => _training[i])];
        string[] texts = [.. sounds.Select(s => DrawText(s, random))];
        var windows = sounds.SelectMany((s, row) => Windows(s, random).Select(w => (s.Id, Row: row, Window: w))).ToArray();
        int n = sounds.Length, size = _mels.Options.WindowValues;
        float[] mels = new float[windows.Length * size], shares = new float[n * windows.Length], fits = new float[n * n];
        for (int i = 0; i < windows.Length; i++)
        {
            var mel = mels.AsSpan(i * size, size);
            _mels.CopyTo(windows[i].Id, windows[i].Window, mel);
            _augmentation.Vary(mel, random);
            shares[windows[i].Row * windows.Length + i] = 1;
        }
        for (int i = 0; i < n * n; i++)
            fits[i] = sounds[i / n].Kind == sounds[i % n].Kind || texts[i / n] == texts[i % n] ? 1 : 0;
        using (NewDisposeScope())
        {
            var (ids, attend) = _tokens.Batch([.. texts.Select(_tokens.Encode)]);
            return new Batch(
                n,
                tensor(mels, [windows.Length, _mels.Options.Frames, _mels.Options.Mel.Mels]).DetachFromDisposeScope(),
                windows.Length == n ? null : tensor(shares, [n, windows.Length]).DetachFromDisposeScope(),
                ids.DetachFromDisposeScope(), attend.DetachFromDisposeScope(),
                tensor(fits, [n, n]).DetachFromDisposeScope());
        }
    }

    /// <inheritdoc/>
    public Tensor Loss(ITrainingBatch batch)
    {
        using var scope = NewDisposeScope();
        var own = (Batch)batch;
        var scale = _towers.LogScale!;
        using (no_grad())
            scale.copy_(scale.Within(0, ContrastiveLoss.LargestLogScale)); // after the last step, and so that none ever goes astray
        var sounds = _towers.EmbedLogMel(own.Mels);                               // [w, d]
        if (own.Shares is { } shares)
            sounds = ClapTowers.Unit(shares.matmul(sounds));                      // [n, d]
        return ContrastiveLoss.Of(sounds, _towers.EmbedText(own.Ids, own.Attend), scale, own.Fits).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public ValidationResult? Validate(CancellationToken cancellation) => _validation?.Run(cancellation);

    /// <inheritdoc/>
    public IWeightSource Weights() => new TrainedWeights(("", _towers));

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static ParameterGroup[] GroupsOf(ClapTowers towers, ClapTaskOptions options)
    {
        var named = towers.named_parameters().ToLookup(p => (
            Encoder: p.name.StartsWith("clap.", StringComparison.Ordinal),
            Decays: p.parameter.dim() >= 2 && !p.name.Contains("embeddings.", StringComparison.Ordinal)));
        return [.. from @group in named
                   orderby @group.Key
                   select new ParameterGroup($"{(@group.Key.Encoder ? "sound encoder" : "text and projections")}, {(@group.Key.Decays ? "matrices" : "rest")}", [.. @group])
                   {
                       WeightDecay = @group.Key.Decays ? options.WeightDecay : 0,
                       LearningRateScale = @group.Key.Encoder ? options.EncoderRateScale : 1,
                   }];
    }

    private string DrawText(ClapSound sound, Random random) =>
        sound.Texts.Count == 1 || random.NextDouble() < _options.CaptionShare ? sound.Caption : sound.Texts[random.Next(1, sound.Texts.Count)];

    private IEnumerable<int> Windows(ClapSound sound, Random random)
    {
        int all = _mels.WindowsOf(sound.Id);
        return sound.Whole ? Enumerable.Range(0, all) : [random.Next(all)];
    }

    /// <param name="Samples">n</param> <param name="Mels">[w, f, m]</param> <param name="Shares">[n, w], which windows are whose; null where each has one.</param>
    /// <param name="Ids">[n, t]</param> <param name="Attend">[n, t]</param> <param name="Fits">[n, n]</param>
    private sealed record Batch(int Samples, Tensor Mels, Tensor? Shares, Tensor Ids, Tensor Attend, Tensor Fits) : ITrainingBatch
    {
        public void Dispose()
        {
            Mels.Dispose();
            Shares?.Dispose();
            Ids.Dispose();
            Attend.Dispose();
            Fits.Dispose();
        }
    }
}
