using FlamingoSharp.Runtime;
using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Weights;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Tests.Loop;

/// <summary>A task of a few hundred numbers that uses everything the loop has to keep: dropout, running statistics, two groups.</summary>
internal sealed class TinyTask : ITrainingTask
{
    private readonly Network _network = new();
    private readonly double _validationDrift;
    private int _validations;

    /// <param name="validationDrift">Added to the validation loss at each validation, so that it stops getting better.</param>
    public TinyTask(double validationDrift = 0)
    {
        _validationDrift = validationDrift;
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var random = new Random(7);
        foreach (var (_, parameter) in _network.named_parameters())
        {
            float[] values = [.. Enumerable.Range(0, (int)parameter.numel()).Select(_ => (float)(random.NextDouble() - 0.5))];
            parameter.copy_(tensor(values, parameter.shape));
        }
        Groups =
        [
            new ParameterGroup("hidden", Named("hidden.")) { WeightDecay = 0.1 },
            new ParameterGroup("rest", [.. Named("norm."), .. Named("output.")]) { LearningRateScale = 0.5, ClipSet = "rest" },
        ];
    }

    /// <summary>Micro-batches whose sound is gone.</summary>
    public Func<long, bool> IsGone { get; init; } = _ => false;

    /// <summary>True if a sound of the validation is gone.</summary>
    public bool IsValidationGone { get; init; }

    /// <summary>Micro-batches whose loss is no number.</summary>
    public Func<long, bool> IsNaN { get; init; } = _ => false;

    /// <summary>Time that laying out a micro-batch takes.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Micro-batches laid out, in any order.</summary>
    public List<long> Prepared { get; } = [];

    public Dictionary<string, string> Agreed { get; init; } = new() { ["vocabulary"] = "tiny" };

    public string Name => "tiny";

    public IReadOnlyList<ParameterGroup> Groups { get; }

    public IReadOnlyList<(string Name, Tensor Buffer)> Buffers => [.. _network.named_buffers().Select(b => (b.name, b.buffer))];

    public IReadOnlyDictionary<string, string> Identity => Agreed;

    public long? EpochMicroBatches => 10;

    public ITrainingBatch Prepare(long index)
    {
        lock (Prepared)
            Prepared.Add(index);
        if (Delay > TimeSpan.Zero)
            Thread.Sleep(Delay);
        if (IsGone(index))
            throw new FlamingoException(FlamingoErrorKind.Input, $"'sound-{index}.wav' does not exist.");
        var random = SplitMix.At(3, index);
        float[] x = [.. Enumerable.Range(0, 4 * 6).Select(_ => (float)random.NextDouble())];
        float[] y = [.. x.Chunk(6).Select(row => row[0] - 2 * row[1] + row[2] * row[3])];
        if (IsNaN(index))
            y[0] = float.NaN;
        using var scope = NewDisposeScope();
        return new Batch(tensor(x, [4, 6]).DetachFromDisposeScope(), tensor(y, [4, 1]).DetachFromDisposeScope());
    }

    public Tensor Loss(ITrainingBatch batch)
    {
        using var scope = NewDisposeScope();
        var difference = _network.forward(((Batch)batch).X).Plus(((Batch)batch).Y.neg());
        return (difference * difference).mean().MoveToOuterDisposeScope();
    }

    public void SetTraining(bool training) => _network.train(training);

    public ValidationResult? Validate(Action<FlamingoException> unreadable, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        if (IsValidationGone)
            unreadable(new FlamingoException(FlamingoErrorKind.Input, "'held.wav' does not exist."));
        using var batch = Prepare(1_000_000);
        double loss = Loss(batch).item<float>() + _validationDrift * _validations++;
        return new ValidationResult(loss, new Dictionary<string, double> { ["root"] = Math.Sqrt(loss) });
    }

    public IWeightSource Weights() => new TrainedWeights(("", _network));

    public void Dispose() => _network.Dispose();

    private (string, Parameter)[] Named(string prefix) =>
        [.. _network.named_parameters().Where(p => p.name.StartsWith(prefix, StringComparison.Ordinal))];

    private sealed record Batch(Tensor X, Tensor Y) : ITrainingBatch
    {
        public int Samples => 4;

        public void Dispose()
        {
            X.Dispose();
            Y.Dispose();
        }
    }

    private sealed class Network : nn.Module<Tensor, Tensor>
    {
        private readonly Linear hidden = nn.Linear(6, 16);
        private readonly BatchNorm1d norm = nn.BatchNorm1d(16);
        private readonly Dropout drop = nn.Dropout(0.2);
        private readonly Linear output = nn.Linear(16, 1);

        public Network()
            : base("tiny") => RegisterComponents();

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            return output.forward(drop.forward(norm.forward(hidden.forward(x)).tanh())).MoveToOuterDisposeScope();
        }
    }
}

/// <summary>Remembers what a run told.</summary>
internal sealed class Witness : ITrainingObserver
{
    public TrainingStart? Start { get; private set; }

    public List<TrainingStepReport> Steps { get; } = [];

    public List<TrainingValidation> Validations { get; } = [];

    public List<string> Warnings { get; } = [];

    public TrainingOutcome? Outcome { get; private set; }

    /// <summary>The losses as bits: two runs are the same if these are.</summary>
    public IEnumerable<(int Step, long Loss)> Bits => Steps.Select(s => (s.Step, BitConverter.DoubleToInt64Bits(s.Loss)));

    public void Started(TrainingStart start) => Start = start;

    public void Stepped(TrainingStepReport step) => Steps.Add(step);

    public void Validated(TrainingValidation validation) => Validations.Add(validation);

    public void Warned(string message) => Warnings.Add(message);

    public void Ended(TrainingOutcome outcome) => Outcome = outcome;
}
