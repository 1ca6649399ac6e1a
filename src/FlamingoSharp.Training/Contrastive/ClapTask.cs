using FlamingoSharp.Embeddings;
using FlamingoSharp.Encoders;
using FlamingoSharp.Runtime;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Training.Stages;
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
    private readonly IReadOnlyList<ClapSound> _training;
    private readonly ClapValidation? _validation;
    private readonly ClapTaskOptions _options;
    private readonly MelAugmentation _augmentation;
    private readonly BatchDraw _draw;
    private readonly ClapEpochs? _epochs;

    /// <param name="towers">What learns.</param> <param name="config">Its form.</param> <param name="tokenizer">How it reads.</param>
    /// <param name="training">Learned from.</param> <param name="validation">Tried on; none for no validation.</param>
    /// <param name="options">How it learns.</param> <param name="augmentation">How spectrograms are varied.</param>
    /// <param name="epochs">True takes every sound once in an epoch; false draws sounds by their weights without end.</param>
    public ClapTask(
        ClapTowers towers, ClapConfig config, Tokenizer tokenizer, IReadOnlyList<ClapSound> training, IReadOnlyList<ClapSound> validation,
        ClapTaskOptions options, MelAugmentationOptions augmentation, bool epochs = false)
    {
        (_towers, _config, _training, _options) = (towers, config, training, options);
        _tokens = new ClapTokenizer(tokenizer, config);
        _augmentation = new MelAugmentation(augmentation, Frames, Bands);
        _draw = new BatchDraw(training);
        _epochs = epochs ? new ClapEpochs(training, options.BatchSize) : null;
        _validation = validation.Count > 0 ? new ClapValidation(towers, _tokens, training, validation, options.BatchSize) : null;
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
        ["sounds"] = _epochs is null ? $"{_training.Count}"
            : $"{_training.Count} {SoundSource.Key(string.Join('\n', _training.Select(s => $"{s.Id} {s.Kind} {string.Join('|', s.Captions)}")))[..8]}",
        ["model"] = _config.ToJson(),
        ["stage options"] = _options.ToString(),
    };

    /// <inheritdoc/>
    public long? EpochMicroBatches => _epochs?.Batches;

    private int Frames => _config.Audio.Mel.Frames(_config.Audio.WindowSamples);

    private int Bands => _config.Audio.Mel.Mels;

    /// <inheritdoc/>
    public void SetTraining(bool training) => _towers.train(training);

    /// <inheritdoc/>
    public ITrainingBatch Prepare(long index)
    {
        var random = SplitMix.At(_options.Seed, index);
        ClapSound[] sounds = [.. (_epochs?.Batch(index) ?? _draw.Draw(_options.BatchSize, random)).Select(i => _training[i])];
        string[] texts = [.. sounds.Select(s => DrawText(s, random))];
        var windows = sounds.SelectMany((s, row) => Windows(s, random).Select(w => (Row: row, w.Heard, w.Window))).ToArray();
        int n = sounds.Length, size = Frames * Bands;
        float[] mels = new float[windows.Length * size], shares = new float[n * windows.Length], fits = new float[n * n];
        for (int i = 0; i < windows.Length; i++)
        {
            var mel = mels.AsSpan(i * size, size);
            windows[i].Heard.Values.AsSpan(windows[i].Window * size, size).CopyTo(mel);
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
                tensor(mels, [windows.Length, Frames, Bands]).DetachFromDisposeScope(),
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
    public ValidationResult? Validate(Action<FlamingoException> unreadable, CancellationToken cancellation) => _validation?.Run(unreadable, cancellation);

    /// <inheritdoc/>
    public IWeightSource Weights() => new TrainedWeights(("", _towers));

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static ParameterGroup[] GroupsOf(ClapTowers towers, ClapTaskOptions options)
    {
        var named = towers.named_parameters().ToLookup(p => (
            Encoder: ModelParts.Of(p.name) == ModelPart.Encoder,
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
        sound.Names.Count > 0 && random.NextDouble() >= _options.CaptionShare ? Any(sound.Names, random) : Any(sound.Captions, random);

    private static string Any(IReadOnlyList<string> texts, Random random) => texts[texts.Count == 1 ? 0 : random.Next(texts.Count)];

    private static IEnumerable<(SoundFeatures Heard, int Window)> Windows(ClapSound sound, Random random)
    {
        var heard = sound.Hear();
        return sound.Whole ? Enumerable.Range(0, heard.Windows).Select(w => (heard, w)) : [(heard, random.Next(heard.Windows))];
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
