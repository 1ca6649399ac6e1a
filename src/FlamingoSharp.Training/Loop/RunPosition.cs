namespace FlamingoSharp.Training;

/// <summary>Where a run stands between two steps; what a checkpoint keeps beside tensors.</summary>
internal sealed record RunPosition
{
    /// <summary>Optimiser steps done; the next micro-batch follows from it.</summary>
    public int Step { get; init; }

    /// <summary>Samples learned from.</summary>
    public long Samples { get; init; }

    /// <summary>Micro-batches left out.</summary>
    public int Skipped { get; init; }

    /// <summary>Time spent, in seconds.</summary>
    public double Seconds { get; init; }

    /// <summary>Where the time went; null before the first step, and in checkpoints of earlier versions.</summary>
    public TrainingTime? Time { get; init; }

    /// <summary>Step of the last validation.</summary>
    public int ValidatedAt { get; init; }

    /// <summary>Smallest validation loss; null if there was none.</summary>
    public double? BestLoss { get; init; }

    /// <summary>Step of it.</summary>
    public int BestStep { get; init; }

    /// <summary>Validations since.</summary>
    public int WithoutImprovement { get; init; }
}
