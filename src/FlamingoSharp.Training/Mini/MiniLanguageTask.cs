using FlamingoSharp.Encoders;
using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Weights;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>The mini model's second stage: the whole model, the encoder more slowly, learns to caption and to answer.</summary>
/// <remarks>
/// Shapes: n windows of a batch, f frames, m mel bands, b texts, w windows of the longest sound, h vectors a window, c their width.<br/>
/// Sounds are varied anew each time they are heard; those of the catalogue are joined by new compositions of them.
/// </remarks>
internal sealed class MiniLanguageTask : ITrainingTask
{
    // The answers of these change if the sound gets faster or higher; of the other recipes' only if it does so much.
    private static readonly HashSet<string> s_exact = ["tempo", "pitch", "speaker", "loudness"];

    private readonly FlamingoModel _model;
    private readonly Htsat _encoder;
    private readonly MiniSampler _sampler;
    private readonly TextBatcher _batcher;
    private readonly MelSheet _sheet;
    private readonly MelStoreOptions _front;
    private readonly SoundCatalogue _catalogue;
    private readonly PartTagging _tagging;
    private readonly double _tagWeight;
    private readonly IReadOnlyList<IReadOnlyList<TokenizedText>> _validation;
    private readonly double _unvaried;
    private readonly long _seed;

    public MiniLanguageTask(
        FlamingoModel model, SoundCatalogue catalogue, MelStore mels, MelAugmentationOptions augmentation, TextBatcher batcher,
        MiniSampler sampler, double unvaried, IEnumerable<TrainingText> validation, PartTagging tagging, MiniTaskOptions options)
    {
        (_tagging, _tagWeight, _unvaried) = (tagging, options.TagWeight, unvaried);
        (_model, _encoder, _catalogue, _batcher, _sampler, _front, _seed) = (model, (Htsat)model.EncoderPart!, catalogue, batcher, sampler, mels.Options, options.Seed);
        _sheet = new MelSheet(mels, augmentation);
        _validation = [.. batcher.Batches(validation, options.BatchSize, new Random(0))];
        var parameters = TrainableParameters.Select(model, TrainingStage.SupervisedFineTuning, EmbeddingTraining.All);
        var named = parameters.CrossAttention.Concat(parameters.Other).ToList();
        var heads = tagging.Parameters.Select(p => ("heads." + p.name, p.parameter)).ToList();
        var encoding = _encoder.named_parameters().Select(p => (ModelParts.EncoderPrefix + p.name, p.parameter)).ToList();
        encoding.ForEach(p => p.parameter.requires_grad = true); // the reference's stages leave it as it is
        Groups =
        [
            Group("language", named, p => p.dim() >= 2, options.WeightDecay, 1),
            Group("language, vectors", named, p => p.dim() < 2, 0, 1),
            Group("encoder", encoding, p => p.dim() >= 2, options.WeightDecay, options.EncoderRate) with { ClipSet = "encoder" },
            Group("encoder, vectors", encoding, p => p.dim() < 2, 0, options.EncoderRate) with { ClipSet = "encoder" },
            Group("heads", heads, p => p.dim() >= 2, options.WeightDecay, 1) with { ClipSet = "encoder" },
            Group("heads, vectors", heads, p => p.dim() < 2, 0, 1) with { ClipSet = "encoder" },
        ];
    }

    /// <inheritdoc/>
    public string Name => "language";

    /// <inheritdoc/>
    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, Tensor Buffer)> Buffers => [.. _encoder.named_buffers().Select(b => (ModelParts.EncoderPrefix + b.name, b.buffer))];

    /// <inheritdoc/>
    public ITrainingBatch Prepare(long index)
    {
        var samples = _sampler.Batch(index);
        var random = SplitMix.At(_seed, index);
        LaidSound[][] sounds = [.. samples.Select(s => s.Sounds.Select(h => h.Parts is { } parts
            ? _sheet.Lay(parts, Variation.Gentle, random, h.Drowned, h.IsTexture ? h.About.Id : null)
            : _sheet.Lay(h.About.Id, h.Drowned || random.NextDouble() >= _unvaried ? VariationOf(h.About) : Variation.None, random, h.Drowned)).ToArray())];
        return ToBatch([.. samples.Select(s => s.Text)], sounds) with { Parts = _tagging.Targets(sounds.SelectMany(s => s), _sheet.WindowValues) };
    }

    /// <inheritdoc/>
    public Tensor Loss(ITrainingBatch batch)
    {
        using var scope = NewDisposeScope();
        var own = (Batch)batch;
        var vectors = _encoder.ForwardLogMel(own.Mels); // [n, h, c]
        var loss = WeightedLoss(Score(own, vectors), own.Labels);
        return (own.Parts is { } parts ? loss.Plus(_tagging.Loss(vectors, parts).Times(_tagWeight)) : loss).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void SetTraining(bool training) => _model.train(training);

    /// <inheritdoc/>
    public ValidationResult? Validate(Action<FlamingoException> unreadable, CancellationToken cancellation)
    {
        if (_validation.Count == 0)
            return null;
        double sum = 0;
        foreach (var texts in _validation)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            using var batch = ToBatch(texts, [.. texts.Select(t => new[] { _sheet.Lay(t.Source.Id, Variation.None, Random.Shared) })]);
            sum += LanguageLoss.Of(Score(batch, _encoder.ForwardLogMel(batch.Mels)), batch.Labels).item<float>();
        }
        return new ValidationResult(sum / _validation.Count, new Dictionary<string, double>());
    }

    /// <inheritdoc/>
    public IWeightSource Weights() => new TrainedWeights(("", _model));

    /// <inheritdoc/>
    public void Dispose() => _tagging.Dispose();

    private Variation VariationOf(TrainingText text) =>
        s_exact.Contains(text.Type) ? Variation.Surroundings : _catalogue[text.Id] is Clip ? Variation.Strong : Variation.Gentle;

    // With examples each sound has the slot that the few-shot mask counts with; alone, no more windows than the longest of the batch.
    private Batch ToBatch(IReadOnlyList<TokenizedText> texts, LaidSound[][] sounds)
    {
        int size = _sheet.WindowValues, slots = sounds.Max(s => s.Length);
        int windows = slots > 1 ? _model.Conditioning.VectorsPerSound / _encoder.Options.OutputTokens : sounds.Max(s => s[0].Mels.Length / size);
        float[] mels = new float[sounds.Sum(s => s.Sum(m => m.Mels.Length))];
        long[] rows = new long[sounds.Length * slots * windows];
        bool[] valid = new bool[rows.Length];
        int at = 0;
        for (int b = 0; b < sounds.Length; b++)
        {
            for (int slot = 0; slot < sounds[b].Length; slot++)
            {
                sounds[b][slot].Mels.CopyTo(mels, at * size);
                for (int w = 0, row = (b * slots + slot) * windows; w < sounds[b][slot].Mels.Length / size; w++, row++)
                {
                    rows[row] = at++; // what fills a slot up may be anything: it is masked
                    valid[row] = true;
                }
            }
        }
        using var scope = NewDisposeScope();
        var (ids, attend, labels) = _batcher.ToTensors(texts);
        return new Batch(
            texts.Count, tensor(mels, [at, _front.Frames, _front.Mel.Mels]).DetachFromDisposeScope(), tensor(rows).DetachFromDisposeScope(),
            tensor(valid, [sounds.Length, slots * windows]).DetachFromDisposeScope(),
            ids.DetachFromDisposeScope(), attend.DetachFromDisposeScope(), labels.DetachFromDisposeScope());
    }

    private Tensor Score(Batch batch, Tensor vectors)
    {
        using var scope = NewDisposeScope();
        long b = batch.Valid.shape[0], w = batch.Valid.shape[1];
        var encodings = vectors.index_select(0, batch.Rows).view(b, w, vectors.shape[1], vectors.shape[2]);
        return _model.Forward(batch.Ids, batch.Attend, _model.Hear(encodings, batch.Valid)).MoveToOuterDisposeScope(); // [b, t, v]
    }

    // Every token counts, but a text of n tokens only as much as sqrt(n) of them: else a yes or a number hardly counts beside a caption.
    private static Tensor WeightedLoss(Tensor logits, Tensor labels)
    {
        using var scope = NewDisposeScope();
        long b = logits.shape[0], t = logits.shape[1];
        var wanted = labels.narrow(1, 1, t - 1);                                       // [b, t-1]
        var losses = nn.functional.cross_entropy(
            logits.narrow(1, 0, t - 1).reshape(b * (t - 1), -1), wanted.reshape(-1), ignore_index: LanguageLoss.Ignored, reduction: nn.Reduction.None).view(b, t - 1);
        var counts = wanted.IsNot(LanguageLoss.Ignored).sum(1).to_type(ScalarType.Float32).RaiseInPlace(1); // [b]
        var weights = counts.rsqrt();
        return ((losses.sum(1) * weights).sum() / counts.sqrt().sum()).MoveToOuterDisposeScope();
    }

    private static ParameterGroup Group(
        string name, IEnumerable<(string Name, Parameter Parameter)> parameters, Func<Parameter, bool> which, double decay, double rate) =>
        new(name, [.. parameters.Where(p => which(p.Parameter))]) { WeightDecay = decay, LearningRateScale = rate };

    private sealed record Batch(int Samples, Tensor Mels, Tensor Rows, Tensor Valid, Tensor Ids, Tensor Attend, Tensor Labels) : ITrainingBatch
    {
        public PartTargets? Parts { get; init; }

        public void Dispose()
        {
            Parts?.Dispose();
            foreach (var tensor in new[] { Mels, Rows, Valid, Ids, Attend, Labels })
                tensor.Dispose();
        }
    }
}
