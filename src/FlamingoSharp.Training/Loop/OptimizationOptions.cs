namespace FlamingoSharp.Training;

/// <summary>Which part of the recipe a run is; it decides what is trained.</summary>
public enum TrainingStage
{
    /// <summary>The audio transformer, the cross-attention and the embedding learn; the language model is frozen.</summary>
    Pretrain,

    /// <summary>The whole language model learns as well.</summary>
    SupervisedFineTuning,
}

/// <summary>How the learning rate moves after warm-up.</summary>
public enum LearningRateSchedule
{
    /// <summary>It stays.</summary>
    Constant,

    /// <summary>It falls to zero in a straight line.</summary>
    Linear,

    /// <summary>It falls to zero along half a cosine.</summary>
    Cosine,
}

/// <summary>Which rows of the token embedding learn.</summary>
public enum EmbeddingTraining
{
    /// <summary>None.</summary>
    Frozen,

    /// <summary>Those of <c>&lt;audio&gt;</c> and <c>&lt;|endofchunk|&gt;</c> alone; the reference's rule for a pretrained language model.</summary>
    SoundTokens,

    /// <summary>All: for a language model that starts from nothing.</summary>
    All,
}

/// <summary>How gradients become steps. Defaults: pretraining of Audio Flamingo 1 (arXiv 2402.01831, released configuration).</summary>
public sealed record OptimizationOptions
{
    /// <summary>Learning rate after warm-up.</summary>
    public double LearningRate { get; init; } = 1e-4;

    /// <summary>Optimiser steps over which the rate rises from 0; the first step is taken with rate 0.</summary>
    public int WarmupSteps { get; init; } = 1875;

    /// <summary>What the rate does after warm-up.</summary>
    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.Constant;

    /// <summary>Optimiser steps of the whole run; falling schedules end there.</summary>
    public int TotalSteps { get; init; }

    /// <summary>Micro-batches whose gradients are added up before a step.</summary>
    public int Accumulation { get; init; } = 1;

    /// <summary>Largest norm of the gradients of one clipping set together; they are scaled down to it.</summary>
    public double ClipNorm { get; init; } = 1.0;

    /// <summary>
    /// Clips the accumulated gradient after every micro-batch, as the reference does; false clips once, before the step. Only then is a
    /// step of several processes the same as one of a single process with as many micro-batches.
    /// </summary>
    public bool ClipEachMicroBatch { get; init; } = true;

    /// <summary>Decoupled weight decay of the cross-attention blocks.</summary>
    public double CrossAttentionWeightDecay { get; init; } = 0.1;

    /// <summary>Decoupled weight decay of everything else.</summary>
    public double OtherWeightDecay { get; init; }

    /// <summary>Which rows of the token embedding learn.</summary>
    public EmbeddingTraining Embeddings { get; init; } = EmbeddingTraining.Frozen;

    /// <summary>The learning rate of an optimiser step, counted from 0.</summary>
    public double RateAt(int step)
    {
        double warm = WarmupSteps > 0 ? Math.Min(1.0, (double)step / WarmupSteps) : 1.0;
        double progress = TotalSteps > WarmupSteps ? Math.Clamp((double)(step - WarmupSteps) / (TotalSteps - WarmupSteps), 0, 1) : 0;
        return LearningRate * warm * Schedule switch
        {
            LearningRateSchedule.Linear => 1 - progress,
            LearningRateSchedule.Cosine => 0.5 * (1 + Math.Cos(Math.PI * progress)),
            _ => 1,
        };
    }
}
