namespace FlamingoSharp.Training;

/// <summary>What happens to a micro-batch that cannot be learned from.</summary>
public enum FaultPolicy
{
    /// <summary>The run stops, and says why.</summary>
    Stop,

    /// <summary>It is left out and counted; too many in a row stop the run all the same.</summary>
    Skip,
}

/// <summary>Which weights a run leaves behind.</summary>
public enum KeptWeights
{
    /// <summary>Those of the smallest validation loss; the last ones if nothing is validated.</summary>
    Best,

    /// <summary>Those of the last validation, or of the end.</summary>
    Last,
}

/// <summary>How long a stage trains, what it writes on the way, and what it does when something goes wrong.</summary>
public sealed record TrainingRunOptions
{
    /// <summary>Folder of the run: its log, its checkpoints, its report.</summary>
    public required string Folder { get; init; }

    /// <summary>Learning rate, accumulation, clipping, and <see cref="OptimizationOptions.TotalSteps"/>.</summary>
    public OptimizationOptions Optimization { get; init; } = new();

    /// <summary>Length of the run in epochs, for tasks that have them, in place of <see cref="OptimizationOptions.TotalSteps"/>.</summary>
    public double? Epochs { get; init; }

    /// <summary>
    /// Ends the run after this time even if its steps are not done; the learning rate follows whichever is further on, so that a slow
    /// machine gets a whole, shorter schedule. Such a run is not repeatable number by number.
    /// </summary>
    public TimeSpan? TimeBudget { get; init; }

    /// <summary>Seed of what losses draw at random, such as dropout.</summary>
    public long Seed { get; init; } = 42;

    /// <summary>Decay per step of a running average of the weights, which is then what is validated and kept; null keeps the weights themselves.</summary>
    public double? AverageDecay { get; init; }

    /// <summary>Steps between validations; 0 validates at the end alone.</summary>
    public int ValidateEvery { get; init; } = 500;

    /// <summary>Stops after this many validations in a row without a smaller loss; null never does.</summary>
    public int? Patience { get; init; }

    /// <summary>Which weights are kept.</summary>
    public KeptWeights Keep { get; init; } = KeptWeights.Best;

    /// <summary>Steps between checkpoints; 0 writes one at the end alone.</summary>
    public int CheckpointEvery { get; init; } = 500;

    /// <summary>Newest checkpoints that stay.</summary>
    public int CheckpointsKept { get; init; } = 2;

    /// <summary>Goes on from the newest good checkpoint in <see cref="Folder"/>, if there is one.</summary>
    public bool Resume { get; init; }

    /// <summary>
    /// Threads that torch computes with, if someone has said how many; null takes as many as a run that goes on had before, so that its sums
    /// are the same to the last bit, and else leaves it to torch.
    /// </summary>
    public int? Threads { get; init; }

    /// <summary>Micro-batches laid out ahead.</summary>
    public int PrepareAhead { get; init; } = 4;

    /// <summary>Threads that lay them out.</summary>
    public int PrepareThreads { get; init; } = 2;

    /// <summary>What a loss or a gradient that is no finite number leads to.</summary>
    public FaultPolicy NonFinite { get; init; } = FaultPolicy.Stop;

    /// <summary>What a sound that cannot be read leads to.</summary>
    public FaultPolicy Unreadable { get; init; } = FaultPolicy.Stop;

    /// <summary>Micro-batches in a row that may be left out.</summary>
    public int FaultsInARow { get; init; } = 10;

    /// <summary>Checks that the options make sense.</summary>
    /// <exception cref="FlamingoException">One does not; the message says which.</exception>
    public void Validate()
    {
        Require(Folder.Length > 0, "There is no output folder: name one.");
        Require(Optimization.TotalSteps > 0 || Epochs > 0, "The run has no length: give the number of steps or of epochs.");
        Require(Optimization.Accumulation >= 1, $"The accumulation is {Optimization.Accumulation} micro-batches; it must be at least 1.");
        Require(Optimization.LearningRate >= 0 && double.IsFinite(Optimization.LearningRate), $"The learning rate is {Optimization.LearningRate}; it must be a number from 0.");
        Require(Optimization.ClipNorm > 0, $"The clipping norm is {Optimization.ClipNorm}; it must be above 0.");
        Require(TimeBudget is not { } budget || budget > TimeSpan.Zero, "The time budget is not above 0.");
        Require(AverageDecay is not { } decay || decay is > 0 and < 1, $"The decay of the weights' average is {AverageDecay}; it must be between 0 and 1.");
        Require(ValidateEvery >= 0 && CheckpointEvery >= 0, "Steps between validations or checkpoints are below 0.");
        Require(CheckpointsKept >= 1, $"{CheckpointsKept} checkpoints are to be kept; at least 1 is needed to go on.");
        Require(Patience is not < 1, $"The patience is {Patience} validations; it must be at least 1.");
        Require(PrepareAhead >= 1 && PrepareThreads >= 1, "At least 1 micro-batch must be laid out ahead, by at least 1 thread.");
        Require(FaultsInARow >= 1, "At least 1 micro-batch in a row must be allowed to be left out.");
    }

    private static void Require(bool holds, string message)
    {
        if (!holds)
            throw new FlamingoException(FlamingoErrorKind.Usage, message);
    }
}
