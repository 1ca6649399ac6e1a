using System.Diagnostics;
using FlamingoSharp.Models;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Sounds;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>The loop of <see cref="MiniTraining"/>: texts are drawn and laid out while the last batch is trained on.</summary>
internal sealed class LanguageStage : IDisposable
{
    private readonly MiniTraining _options;
    private readonly FlamingoModel _model;
    private readonly EncodingCache _encodings;
    private readonly TextBatcher _batcher;
    private readonly TrainingStep _step;
    private readonly WeightAverage _average;
    private readonly int _windows;

    public LanguageStage(MiniTraining options, FlamingoModel model, Tokenizer tokenizer, EncodingCache encodings)
    {
        (_options, _model, _encodings, _windows) = (options, model, encodings, options.Config.Windows.MaxWindows);
        _batcher = new TextBatcher(tokenizer, options.Config.Prompts, model.Language.MaxTokens);
        _step = new TrainingStep(model, TrainingStage.SupervisedFineTuning, options.Optimization, [tokenizer.Special.Audio.Id, tokenizer.Special.EndOfChunk.Id]);
        _average = new WeightAverage([model.AudioPart, model.Language], 0.995);
    }

    /// <summary>Trains to the end; <paramref name="keep"/> is called with averaged weights in place.</summary>
    public void Run(TrainingTexts train, TrainingTexts validation, Action<MiniProgress> report, Action keep, CancellationToken cancellation)
    {
        var held = validation.Draw(0, 640).ToList();
        var clock = Stopwatch.StartNew();
        var run = Stopwatch.StartNew();
        double lossSum = 0;
        int count = 0, texts = 0, total = _options.Optimization.TotalSteps;
        for (int epoch = 0; ; epoch++)
        {
            var random = SplitMix.At(_options.Seed, epoch);
            foreach (var batch in _batcher.Batches(train.Draw(epoch, _options.BatchSize * 64), _options.BatchSize, random))
            {
                cancellation.ThrowIfCancellationRequested();
                double spent = _options.TimeBudget is { } budget ? run.Elapsed / budget : 0;
                lossSum += Train(batch, random, (int)(spent * total));
                count++;
                texts += batch.Count;
                bool last = _step.Steps >= total || spent >= 1;
                bool validate = last || _step.Steps % _options.ValidateEvery == 0;
                if (!validate && _step.Steps % 50 != 0)
                    continue;
                double? loss = null;
                double speed = texts / clock.Elapsed.TotalSeconds;
                if (validate)
                {
                    using var averaged = _average.Apply();
                    loss = Validate(held);
                    keep();
                }
                report(new MiniProgress("training", _step.Steps, lossSum / count, speed, loss));
                (lossSum, count, texts) = (0, 0, 0);
                clock.Restart();
                if (last)
                    return;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _step.Dispose();
        _average.Dispose();
    }

    private double Train(IReadOnlyList<TokenizedText> batch, Random random, int scheduleStep)
    {
        using var scope = NewDisposeScope();
        var (ids, attend, labels) = _batcher.ToTensors(batch);
        var (encodings, valid) = _encodings.Gather([.. batch.Select(t => (t.Source.Id, random.Next(1024)))], _windows);
        double loss = _step.Run(new TrainingBatch(ids, attend, labels, encodings, valid), scheduleStep: scheduleStep).Loss;
        _average.Update();
        return loss;
    }

    private double Validate(IEnumerable<TrainingText> texts)
    {
        using var quiet = no_grad();
        _model.eval();
        double sum = 0;
        int batches = 0;
        foreach (var batch in _batcher.Batches(texts, _options.BatchSize, new Random(0)))
        {
            using var scope = NewDisposeScope();
            var (ids, attend, labels) = _batcher.ToTensors(batch);
            var (encodings, valid) = _encodings.Gather([.. batch.Select(t => (t.Source.Id, 0))], _windows);
            var media = _model.Hear(encodings, valid);
            sum += LanguageLoss.Of(_model.Forward(ids, attend, media), labels).item<float>();
            batches++;
        }
        _model.train();
        return sum / Math.Max(1, batches);
    }
}
