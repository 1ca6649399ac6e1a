using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Tests.Distributed;

/// <summary>A whole small model that learns made-up texts about made-up encodings.</summary>
/// <remarks>Its embedding is also its output: a parameter whose gradient comes from two places.</remarks>
internal sealed class TinyModelTask : ITrainingTask
{
    private const int Rows = 2, Tokens = 12;

    private readonly FlamingoConfig _config;
    private readonly FlamingoModel _model;

    /// <param name="width">Of the language model: more work, and longer gradients.</param>
    public TinyModelTask(int width = 32)
    {
        var tiny = TinyModel.Config;
        _config = tiny with { Language = (OptOptions)tiny.Language with { HiddenSize = width, FeedForward = 2 * width } };
        _model = _config.Build(soundToken: 0);
        using var weights = SyntheticCheckpoint.Of("a tiny model", ModuleWeights.Describe(_model), "tiny/");
        ModuleWeights.Fill(_model, weights);
        Groups = TrainableParameters.Select(_model, TrainingStage.SupervisedFineTuning, EmbeddingTraining.All).Groups(new OptimizationOptions());
    }

    public string Name => "tiny";

    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <summary>Micro-batches that cannot be laid out.</summary>
    public Func<long, bool> Unreadable { get; init; } = _ => false;

    /// <summary>Called before the loss of a micro-batch.</summary>
    public Action<long> Before { get; init; } = _ => { };

    public IEnumerable<(string Name, Parameter Parameter)> Parameters => Groups.SelectMany(g => g.Parameters);

    public ITrainingBatch Prepare(long index) => Unreadable(index)
        ? throw new FlamingoException(FlamingoErrorKind.Input, $"Micro-batch {index} is gone.")
        : new Batch(index, _config.Windows.MaxWindows, _config.Encoder.OutputDim);

    public Tensor Loss(ITrainingBatch batch)
    {
        var given = (Batch)batch;
        Before(given.Index);
        using var scope = NewDisposeScope();
        var media = _model.Hear(given.Encodings, given.Valid);
        return LanguageLoss.Of(_model.Forward(given.Ids, attend: null, media), given.Labels).MoveToOuterDisposeScope();
    }

    public void SetTraining(bool training) => _model.train(training);

    public ValidationResult? Validate(Action<FlamingoException> unreadable, CancellationToken cancellation)
    {
        using var batch = Prepare(1_000_000);
        return new ValidationResult(Loss(batch).item<float>(), new Dictionary<string, double>());
    }

    public IWeightSource Weights() => new TrainedWeights(("", _model));

    public void Dispose() => _model.Dispose();

    private sealed class Batch : ITrainingBatch
    {
        public Batch(long index, int windows, int width)
        {
            Index = index;
            using var scope = NewDisposeScope();
            using var random = new Generator((ulong)index);
            Ids = randint(1, 60, [Rows, Tokens], dtype: ScalarType.Int64, generator: random); // few words: there is something to learn
            Ids[.., 0] = 0;
            Labels = Ids.clone();
            Labels[.., 0] = LanguageLoss.Ignored;
            Encodings = randn([Rows, windows, 1, width], generator: random);
            Valid = ones(Rows, windows, dtype: ScalarType.Bool);
            foreach (var tensor in new[] { Ids, Labels, Encodings, Valid })
                tensor.DetachFromDisposeScope();
        }

        public long Index { get; }

        public int Samples => Rows;

        public Tensor Ids { get; } // [b, t]

        public Tensor Labels { get; } // [b, t]

        public Tensor Encodings { get; } // [b, w, h, c]

        public Tensor Valid { get; } // [b, w]

        public void Dispose()
        {
            foreach (var tensor in new[] { Ids, Labels, Encodings, Valid })
                tensor.Dispose();
        }
    }
}
