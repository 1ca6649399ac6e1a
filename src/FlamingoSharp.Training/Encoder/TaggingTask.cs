using FlamingoSharp.Encoders;
using FlamingoSharp.Models;
using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>
/// An HTSAT encoder learns to tag sounds: every tag by a yes or no, and the concept among all concepts. The heads are thrown away;
/// what stays is an encoder whose vector tells a language model what is heard.
/// </summary>
/// <remarks>Source: HTS-AT (arXiv 2202.00874) is trained on tags too; the heads read the projected vector, which is what is kept.</remarks>
internal sealed class TaggingTask : ITrainingTask
{
    private readonly TaggingOptions _options;
    private readonly MelAugmentation _augmentation;
    private readonly TagVocabulary _vocabulary;
    private readonly IReadOnlyList<TaggedSound> _training;
    private readonly IReadOnlyList<TaggedSound> _validation;
    private readonly MelStore _mels;
    private readonly Htsat _encoder;
    private readonly TaggingHeads _heads;
    private readonly double[] _cumulative;
    private readonly int _frames;
    private readonly int _bands;

    public TaggingTask(
        Htsat encoder, HtsatOptions shape, MelStore mels, IReadOnlyList<TaggedSound> training, IReadOnlyList<TaggedSound> validation,
        TaggingOptions options, MelAugmentationOptions augmentation)
    {
        (_encoder, _mels, _training, _validation, _options) = (encoder, mels, training, validation, options);
        (_frames, _bands) = (shape.Mel.Frames(shape.WindowSamples), shape.Mel.Mels);
        _augmentation = new MelAugmentation(augmentation, _frames, _bands);
        _vocabulary = new TagVocabulary(training, options.MinimumTagCount);
        _heads = new TaggingHeads(2 * shape.OutputDim, _vocabulary);
        ParameterInit.Initialize(_heads, options.Seed);
        var named = encoder.named_parameters().Select(p => (ModelParts.EncoderPrefix + p.name, p.parameter))
            .Concat(_heads.named_parameters().Select(p => ("heads." + p.name, p.parameter))).ToList();
        Groups =
        [
            new("matrices", [.. named.Where(p => p.Item2.dim() >= 2)]) { WeightDecay = options.WeightDecay },
            new("vectors", [.. named.Where(p => p.Item2.dim() < 2)]),
        ];
        double sum = 0;
        _cumulative = [.. training.Select(s => sum += s.Weight)];
    }

    /// <inheritdoc/>
    public string Name => "encoder";

    /// <inheritdoc/>
    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, Tensor Buffer)> Buffers => [.. _encoder.named_buffers().Select(b => (ModelParts.EncoderPrefix + b.name, b.buffer))];

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Identity => new Dictionary<string, string>
    {
        ["tags"] = $"{_vocabulary.Tags}",
        ["concepts"] = $"{_vocabulary.Concepts}",
        ["sounds"] = $"{_training.Count}",
        ["stage options"] = _options.ToString(),
    };

    /// <inheritdoc/>
    public void SetTraining(bool training)
    {
        _encoder.train(training);
        _heads.train(training);
    }

    /// <inheritdoc/>
    public Tensor Loss(ITrainingBatch batch)
    {
        using var scope = NewDisposeScope();
        var own = (Batch)batch;
        return _heads.Loss(Encode(own.Mels), own.Tags, own.Concepts, _options.TagWeight).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public ValidationResult? Validate(Action<FlamingoException> unreadable, CancellationToken cancellation)
    {
        double right = ConceptAccuracy(cancellation);
        return new ValidationResult(1 - right, new Dictionary<string, double> { ["concepts right"] = right });
    }

    /// <inheritdoc/>
    public IWeightSource Weights() => new TrainedWeights((ModelParts.EncoderPrefix, _encoder));

    /// <inheritdoc/>
    public void Dispose() => _heads.Dispose();

    private double ConceptAccuracy(CancellationToken cancellation)
    {
        int right = 0, counted = 0;
        foreach (var chunk in _validation.Where(s => _vocabulary.ConceptOf(s) >= 0).Chunk(_options.BatchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            float[] values = new float[chunk.Length * _frames * _bands];
            for (int i = 0; i < chunk.Length; i++)
                _mels.CopyTo(chunk[i].Id, window: 0, values.AsSpan(i * _frames * _bands, _frames * _bands));
            var (_, concepts) = _heads.forward(Encode(tensor(values, [chunk.Length, _frames, _bands])));
            long[] best = concepts.argmax(1).data<long>().ToArray();
            right += chunk.Where((s, i) => best[i] == _vocabulary.ConceptOf(s)).Count();
            counted += chunk.Length;
        }
        return (double)right / Math.Max(1, counted);
    }

    // What is heard most clearly at any time counts as much as what is heard on average: a short sound fills little of its window.
    private Tensor Encode(Tensor mels)
    {
        using var scope = NewDisposeScope();
        var vectors = _encoder.ForwardLogMel(mels); // [n, v, c]
        return cat([vectors.mean([1]), vectors.amax([1])], 1).MoveToOuterDisposeScope(); // [n, 2c]
    }

    /// <inheritdoc/>
    public ITrainingBatch Prepare(long index)
    {
        var random = SplitMix.At(_options.Seed, index);
        int n = _options.BatchSize, size = _frames * _bands;
        float[] mels = new float[n * size], tags = new float[n * _vocabulary.Tags], concepts = new float[n * _vocabulary.Concepts];
        float[] other = new float[size];
        for (int i = 0; i < n; i++)
        {
            var mel = mels.AsSpan(i * size, size);
            var sound = DrawSound(random);
            LoadAny(sound.Id, mel, random);
            _augmentation.Vary(mel, random);
            bool mixed = _augmentation.DrawMix(random);
            Target(sound, i, mixed ? 0.5f : 1f);
            if (!mixed)
                continue;
            var second = DrawSound(random);
            LoadAny(second.Id, other, random);
            _augmentation.Vary(other, random);
            _augmentation.Mix(mel, other, random);
            Target(second, i, 0.5f);
        }
        using (NewDisposeScope())
        {
            return new Batch(
                n,
                tensor(mels, [n, _frames, _bands]).DetachFromDisposeScope(),
                tensor(tags, [n, _vocabulary.Tags]).DetachFromDisposeScope(),
                tensor(concepts, [n, _vocabulary.Concepts]).DetachFromDisposeScope());
        }

        void Target(TaggedSound sound, int row, float share)
        {
            foreach (int tag in _vocabulary.TagsOf(sound))
                tags[row * _vocabulary.Tags + tag] = 1;
            if (_vocabulary.ConceptOf(sound) is >= 0 and int concept)
                concepts[row * _vocabulary.Concepts + concept] += share;
        }
    }

    private TaggedSound DrawSound(Random random)
    {
        int index = Array.BinarySearch(_cumulative, random.NextDouble() * _cumulative[^1]);
        return _training[Math.Min(index < 0 ? ~index : index, _training.Count - 1)];
    }

    private void LoadAny(string id, Span<float> mel, Random random) => _mels.CopyTo(id, random.Next(_mels.WindowsOf(id)), mel);

    private sealed record Batch(int Samples, Tensor Mels, Tensor Tags, Tensor Concepts) : ITrainingBatch
    {
        public void Dispose()
        {
            Mels.Dispose();
            Tags.Dispose();
            Concepts.Dispose();
        }
    }
}
