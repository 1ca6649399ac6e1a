using System.Collections.ObjectModel;
using FlamingoSharp.Weights;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>Parameters that the optimiser treats alike.</summary>
/// <param name="Name">Says in logs and checkpoints which group it is.</param>
/// <param name="Parameters">By their names in the checkpoint; all of them learn.</param>
internal sealed record ParameterGroup(string Name, IReadOnlyList<(string Name, Parameter Parameter)> Parameters)
{
    /// <summary>Decoupled weight decay.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Factor on the run's learning rate.</summary>
    public double LearningRateScale { get; init; } = 1;

    /// <summary>Groups of one clipping set are scaled down together when the norm of their gradients is too large.</summary>
    public string ClipSet { get; init; } = "all";
}

/// <summary>A micro-batch, laid out ahead of the step that learns from it.</summary>
internal interface ITrainingBatch : IDisposable
{
    /// <summary>Samples in it.</summary>
    int Samples { get; }
}

/// <summary>How a task does on sounds it does not learn from.</summary>
/// <param name="Loss">The smaller, the better; what early stopping goes by.</param>
/// <param name="Scores">Further figures by name, e.g. recall@1.</param>
internal sealed record ValidationResult(double Loss, IReadOnlyDictionary<string, double> Scores);

/// <summary>
/// What a stage of the recipe learns: parameters, batches and a loss. Everything else belongs to the loop: optimiser, schedule,
/// accumulation, clipping, laying batches out ahead, validation, checkpoints and resuming, logs, several processes.
/// </summary>
/// <remarks>
/// A batch depends on its index and the task's options alone, never on the batches before it. That is what lets the loop lay batches out on
/// other threads, share them among processes, and go on after a kill as if nothing had happened. The same holds for whatever a loss draws
/// at random: the loop seeds torch from the index before each.
/// </remarks>
internal interface ITrainingTask : IDisposable
{
    /// <summary>The stage, e.g. <c>sft</c>.</summary>
    string Name { get; }

    /// <summary>What learns.</summary>
    IReadOnlyList<ParameterGroup> Groups { get; }

    /// <summary>Tensors that training changes although they are not learned, such as running statistics, by checkpoint name.</summary>
    IReadOnlyList<(string Name, Tensor Buffer)> Buffers => [];

    /// <summary>
    /// What a run must agree on to go on from a checkpoint, by the names of its options: the vocabulary, the data, whatever else changes the
    /// losses. The loop adds its own options and the parameters' shapes.
    /// </summary>
    IReadOnlyDictionary<string, string> Identity => ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Micro-batches in which every sample comes once; null if the task has no such number.</summary>
    long? EpochMicroBatches => null;

    /// <summary>Lays out a micro-batch. Called on any thread, possibly on several at once.</summary>
    /// <param name="index">Micro-batches are numbered from 0 over the whole run.</param>
    /// <exception cref="FlamingoException">A sound cannot be read: of kind <see cref="FlamingoErrorKind.Input"/>, and the run's policy decides.</exception>
    ITrainingBatch Prepare(long index);

    /// <summary>The mean loss of a micro-batch, with its gradient's history. Called on the loop's thread, the modules in training mode.</summary>
    /// <returns>[]</returns>
    Tensor Loss(ITrainingBatch batch);

    /// <summary>Called after each backward pass, before clipping: the place to mask gradients.</summary>
    void MaskGradients()
    {
    }

    /// <summary>Tells modules whether they are trained or tried.</summary>
    void SetTraining(bool training);

    /// <summary>Tries the task on validation sounds, without gradient, the modules in evaluation mode; null if there are none.</summary>
    /// <param name="unreadable">Told of a sound that cannot be read, which is then left out; throws where the run's policy is to stop.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="FlamingoException">No sound can be read.</exception>
    ValidationResult? Validate(Action<FlamingoException> unreadable, CancellationToken cancellation);

    /// <summary>Everything that a user of the result needs, by checkpoint name.</summary>
    IWeightSource Weights();
}
