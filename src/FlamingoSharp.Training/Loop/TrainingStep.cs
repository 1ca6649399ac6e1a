using FlamingoSharp.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>One micro-batch, on the model's device.</summary>
/// <param name="Ids">[b, t], padded on the right.</param> <param name="Attend">[b, t], false for padding.</param>
/// <param name="Labels">[b, t], <see cref="LanguageLoss.Ignored"/> where a token is not scored.</param>
/// <param name="Encodings">[b, w, h, c], output of the frozen encoder.</param> <param name="ValidWindows">[b, w]</param>
internal sealed record TrainingBatch(Tensor Ids, Tensor Attend, Tensor Labels, Tensor Encodings, Tensor ValidWindows);

/// <summary>What one micro-batch did.</summary>
/// <param name="Loss">Mean over scored tokens.</param>
/// <param name="GradientNorm">Norm of the accumulated gradients before clipping.</param>
/// <param name="LearningRate">The rate in force.</param>
internal sealed record StepResult(double Loss, double GradientNorm, double LearningRate);

/// <summary>A Flamingo model's micro-batches as optimiser steps: its loss and the embedding's row mask over an <see cref="OptimizerStep"/>.</summary>
/// <remarks>Source: train_one_epoch of Audio Flamingo 1, the path without sharding.</remarks>
internal sealed class TrainingStep : IDisposable
{
    private readonly FlamingoModel _model;
    private readonly OptimizationOptions _options;
    private readonly OptimizerStep _step;
    private readonly Parameter? _embedding;
    private readonly Tensor? _embeddingRows; // [v, 1], 1 for rows that learn
    private int _microBatches;

    /// <param name="model">The model to train; switched to training mode.</param>
    /// <param name="stage">What is trained.</param> <param name="options">How.</param>
    /// <param name="soundTokens">Ids of <c>&lt;audio&gt;</c> and <c>&lt;|endofchunk|&gt;</c>.</param>
    public TrainingStep(FlamingoModel model, TrainingStage stage, OptimizationOptions options, IReadOnlyList<int> soundTokens)
    {
        (_model, _options) = (model, options);
        _step = new OptimizerStep(TrainableParameters.Select(model, stage, options.Embeddings).Groups(options), options);
        if (options.Embeddings == EmbeddingTraining.SoundTokens)
        {
            _embedding = model.named_parameters().Single(p => p.name.EndsWith("embed_tokens.weight", StringComparison.Ordinal)).parameter;
            _embeddingRows = zeros(_embedding.shape[0], 1, device: _embedding.device).DetachFromDisposeScope();
            foreach (int token in soundTokens)
                _embeddingRows[token] = 1;
        }
        model.train();
    }

    /// <summary>Optimiser steps taken so far.</summary>
    public int Steps { get; private set; }

    /// <summary>Trains on one micro-batch.</summary>
    /// <param name="batch">The micro-batch.</param>
    /// <param name="last">True for the last of an epoch: the optimiser then steps even if the accumulation is not full.</param>
    /// <param name="scheduleStep">Where the learning rate's schedule is, if it is further on than the steps taken.</param>
    public StepResult Run(TrainingBatch batch, bool last = false, int scheduleStep = 0)
    {
        using var scope = NewDisposeScope();
        double rate = _options.RateAt(Math.Max(Steps, scheduleStep));
        var media = _model.Hear(batch.Encodings, batch.ValidWindows);
        var loss = LanguageLoss.Of(_model.Forward(batch.Ids, batch.Attend, media), batch.Labels);
        _microBatches++;
        last |= _microBatches % _options.Accumulation == 0;
        double norm = _step.Add(loss, last, MaskEmbedding);
        if (last)
        {
            _step.Apply(rate);
            Steps++;
        }
        return new StepResult(loss.item<float>(), norm, rate);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _step.Dispose();
        _embeddingRows?.Dispose();
    }

    private void MaskEmbedding()
    {
        if (_embedding?.grad is not { } gradient)
            return;
        using (no_grad())
            gradient.mul_(_embeddingRows!);
    }
}
