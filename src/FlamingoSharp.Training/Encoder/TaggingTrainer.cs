using System.Diagnostics;
using FlamingoSharp.Encoders;
using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using FlamingoSharp.Training.Sounds;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>Progress of encoder training.</summary>
/// <param name="Step">Steps done.</param> <param name="Loss">Mean since the last report.</param>
/// <param name="SoundsPerSecond">Training speed since the last report.</param>
/// <param name="ConceptAccuracy">Share of validation sounds whose concept is named; null between validations.</param>
public sealed record TaggingProgress(int Step, double Loss, double SoundsPerSecond, double? ConceptAccuracy);

/// <summary>
/// Trains an HTSAT encoder to tag sounds: every tag by a yes or no, and the concept among all concepts. The heads are thrown away;
/// what stays is an encoder whose vector tells a language model what is heard.
/// </summary>
/// <remarks>Source: HTS-AT (arXiv 2202.00874) is trained on tags too; the heads read the projected vector, which is what is kept.</remarks>
internal sealed class TaggingTrainer : IDisposable
{
    private readonly TaggingOptions _options;
    private readonly MelAugmentation _augmentation;
    private readonly TagVocabulary _vocabulary;
    private readonly IReadOnlyList<TaggedSound> _training;
    private readonly IReadOnlyList<TaggedSound> _validation;
    private readonly MelStore _mels;
    private readonly Htsat _encoder;
    private readonly TaggingHeads _heads;
    private readonly AdamW _optimizer;
    private readonly WeightAverage _average;
    private readonly double[] _cumulative;
    private readonly int _frames;
    private readonly int _bands;

    public TaggingTrainer(
        Htsat encoder, HtsatOptions shape, MelStore mels, IReadOnlyList<TaggedSound> training, IReadOnlyList<TaggedSound> validation,
        TaggingOptions options, MelAugmentationOptions augmentation)
    {
        (_encoder, _mels, _training, _validation, _options) = (encoder, mels, training, validation, options);
        (_frames, _bands) = (shape.Mel.Frames(shape.WindowSamples), shape.Mel.Mels);
        _augmentation = new MelAugmentation(augmentation, _frames, _bands);
        _vocabulary = new TagVocabulary(training, options.MinimumTagCount);
        _heads = new TaggingHeads(2 * shape.OutputDim, _vocabulary);
        ParameterInit.Initialize(_heads, options.Seed);
        var parameters = encoder.parameters().Concat(_heads.parameters()).ToList();
        _optimizer = new AdamW(
            new AdamWGroup([.. parameters.Where(p => p.dim() >= 2)], options.WeightDecay),
            new AdamWGroup([.. parameters.Where(p => p.dim() < 2)], WeightDecay: 0));
        _average = new WeightAverage(parameters, options.AverageDecay);
        double sum = 0;
        _cumulative = [.. training.Select(s => sum += s.Weight)];
    }

    /// <summary>Trains, and calls <paramref name="keep"/> with averaged weights in place at every validation.</summary>
    public void Run(Action<TaggingProgress> report, Action<int> keep, CancellationToken cancellation)
    {
        var schedule = new OptimizationOptions
        {
            LearningRate = _options.LearningRate,
            WarmupSteps = _options.WarmupSteps,
            TotalSteps = _options.Steps,
            Schedule = LearningRateSchedule.Cosine,
        };
        var clock = Stopwatch.StartNew();
        var run = Stopwatch.StartNew();
        double lossSum = 0;
        int lossCount = 0;
        var next = Task.Run(() => Draw(0), cancellation);
        for (int step = 0; step < _options.Steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            var batch = next.GetAwaiter().GetResult();
            int upcoming = step + 1;
            next = Task.Run(() => Draw(upcoming), cancellation); // spectrograms are varied while the step runs
            double spent = _options.TimeBudget is { } budget ? run.Elapsed / budget : 0;
            bool last = step + 1 == _options.Steps || spent >= 1;
            lossSum += Train(batch, schedule.RateAt(Math.Max(step, (int)(spent * _options.Steps))));
            lossCount++;
            bool validate = (step + 1) % _options.ValidateEvery == 0 || last;
            if (!validate && (step + 1) % 50 != 0)
                continue;

            double speed = lossCount * _options.BatchSize / clock.Elapsed.TotalSeconds;
            double? accuracy = null;
            if (validate)
            {
                using var averaged = _average.Apply();
                accuracy = ConceptAccuracy();
                keep(step + 1);
            }
            report(new TaggingProgress(step + 1, lossSum / lossCount, speed, accuracy));
            (lossSum, lossCount) = (0, 0);
            clock.Restart();
            if (last)
                break;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _optimizer.Dispose();
        _average.Dispose();
        _heads.Dispose();
    }

    private double Train(Batch batch, double rate)
    {
        using var scope = NewDisposeScope();
        _encoder.train();
        var (tags, concepts) = _heads.forward(Encode(batch.Mels));
        var tagLoss = nn.functional.binary_cross_entropy_with_logits(tags, batch.Tags);
        // Rows without a concept have all-zero targets and add nothing.
        var conceptLoss = -(batch.Concepts * nn.functional.log_softmax(concepts, 1)).sum() / batch.Concepts.sum().RaiseInPlace(1);
        var loss = conceptLoss.Plus(tagLoss.Times(_options.TagWeight));
        loss.backward();
        nn.utils.clip_grad_norm_(_encoder.parameters().Concat(_heads.parameters()).Where(p => p.grad is not null), _options.ClipNorm);
        _optimizer.Step(rate);
        _optimizer.ZeroGradients();
        _average.Update();
        double value = loss.item<float>();
        batch.Dispose();
        return value;
    }

    private double ConceptAccuracy()
    {
        using var quiet = no_grad();
        _encoder.eval();
        int right = 0, counted = 0;
        foreach (var chunk in _validation.Where(s => _vocabulary.ConceptOf(s) >= 0).Chunk(_options.BatchSize))
        {
            using var scope = NewDisposeScope();
            float[] values = new float[chunk.Length * _frames * _bands];
            for (int i = 0; i < chunk.Length; i++)
                Load(chunk[i].Id, values.AsSpan(i * _frames * _bands, _frames * _bands), window: 0);
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

    private Batch Draw(int step)
    {
        var random = SplitMix.At(_options.Seed, step);
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

    private void LoadAny(string id, Span<float> mel, Random random) => Load(id, mel, random.Next(_mels.WindowsOf(id)));

    private void Load(string id, Span<float> mel, int window)
    {
        var stored = _mels.Read(id, window);
        for (int i = 0; i < mel.Length; i++)
            mel[i] = (float)stored[i];
    }

    private sealed record Batch(Tensor Mels, Tensor Tags, Tensor Concepts) : IDisposable
    {
        public void Dispose()
        {
            Mels.Dispose();
            Tags.Dispose();
            Concepts.Dispose();
        }
    }
}
