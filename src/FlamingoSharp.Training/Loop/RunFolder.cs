using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>What a run keeps on disk: checkpoints, log, TensorBoard's events, report. Written by process 0, read by all.</summary>
internal sealed class RunFolder : IDisposable
{
    private readonly TrainingRunOptions _options;
    private readonly RunCheckpoints _checkpoints;
    private readonly FileStream? _lock;
    private TrainingLog? _log;
    private TensorBoardEvents? _events;
    private RunState? _state;
    private int? _saved;

    /// <param name="options">Of the run.</param> <param name="writes">True in process 0.</param>
    /// <exception cref="FlamingoException">Another run is writing there, or nothing can be written.</exception>
    public RunFolder(TrainingRunOptions options, bool writes)
    {
        _options = options;
        _checkpoints = new RunCheckpoints(options.Folder, options.CheckpointsKept);
        if (!writes)
            return;
        try
        {
            Directory.CreateDirectory(options.Folder);
            _lock = new FileStream(Path.Combine(options.Folder, "run.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            _checkpoints.Tidy();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{options.Folder}' cannot be written, or another run is writing there: {e.Message.TrimEnd('.')}.", e);
        }
    }

    /// <summary>Those who write what happens; empty before <see cref="Begin"/>, and in other processes than 0.</summary>
    public IReadOnlyList<ITrainingObserver> Writers { get; private set; } = [];

    /// <summary>What the losses depend on; empty before <see cref="Restore"/>.</summary>
    public SortedDictionary<string, string> Settings { get; private set; } = [];

    /// <summary>Puts a run back where its newest checkpoint was made.</summary>
    /// <returns>Where that is; the beginning if there is none.</returns>
    /// <exception cref="FlamingoException">There is one that is not to be gone on from, or that belongs to another run.</exception>
    public RunPosition Restore(RunState state, SortedDictionary<string, string> settings, Action<string> warn)
    {
        (_state, Settings) = (state, settings);
        if (!_options.Resume)
        {
            return _checkpoints.NewestStep is not { } step ? new RunPosition() : throw new FlamingoException(FlamingoErrorKind.Usage,
                $"'{_options.Folder}' holds a run that has come to step {step}: add --resume to go on with it, or name another output folder.");
        }
        if (_checkpoints.OpenNewest(warn) is not var (found, tensors))
            return new RunPosition();
        using (tensors)
        {
            RunSettings.Check(_options.Folder, found.Settings, settings);
            state.Restore(tensors, found);
        }
        ComputeAsBefore(found.Threads, warn);
        _saved = found.Position.Step;
        return found.Position;
    }

    /// <summary>Opens the log where the run goes on.</summary>
    public void Begin(RunPosition position)
    {
        if (_lock is null)
            return;
        Try("The log", () =>
        {
            _log = new TrainingLog(_options.Folder, position);
            _events = new TensorBoardEvents(_options.Folder, position.Step);
        });
        Writers = [_log!, _events!, new Summariser(_options.Folder)];
    }

    /// <summary>Writes a checkpoint, unless there is one of this step.</summary>
    /// <exception cref="FlamingoException">It cannot be written; the ones before are as they were.</exception>
    public void Save(RunPosition position)
    {
        if (_lock is null || _state is not { } state || _saved == position.Step)
            return;
        Try($"The checkpoint of step {position.Step}", () =>
        {
            _log?.Flush();
            using var tensors = state.Tensors();
            _checkpoints.Write(
                new CheckpointState
                {
                    Format = CheckpointState.CurrentFormat,
                    Position = position,
                    Settings = Settings,
                    ParameterSteps = state.ParameterSteps,
                    Threads = get_num_threads(),
                    AverageUpdates = state.AverageUpdates,
                },
                tensors);
        });
        _saved = position.Step;
    }

    /// <summary>Writes something, or says in one sentence that it cannot be written and what is still there.</summary>
    /// <exception cref="FlamingoException">It cannot be written.</exception>
    public void Try(string what, Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FlamingoException(FlamingoErrorKind.Input,
                $"{what} cannot be written: {e.Message.TrimEnd('.')}. Make room in '{_options.Folder}', then {(_saved is { } step ? $"go on from step {step} with --resume" : "begin again; there is no checkpoint yet")}.", e);
        }
    }

    // Sums are the same to the last bit only if they are cut alike.
    private void ComputeAsBefore(int? threads, Action<string> warn)
    {
        int now = get_num_threads();
        if (threads is not { } before || before == now)
            return;
        if (_options.Threads is null)
            set_num_threads(before);
        else
            warn($"the run has computed with {before} thread{(before == 1 ? "" : "s")} and goes on with {now}, so that losses may differ in their last bits.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _events?.Dispose();
        _log?.Dispose();
        _lock?.Dispose();
    }

    /// <summary>Writes what the run is, what it came to, and the page about it.</summary>
    private sealed class Summariser(string folder) : ITrainingObserver
    {
        private RunSummary? _summary;

        public void Started(TrainingStart start)
        {
            _summary = new RunSummary { Start = start };
            _summary.Write(folder);
        }

        public void Ended(TrainingOutcome outcome)
        {
            (_summary! with { Outcome = outcome }).Write(folder);
            TrainingReport.OfRun(folder).Write(folder);
        }
    }
}
