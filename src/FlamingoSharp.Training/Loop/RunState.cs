using FlamingoSharp.Weights;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>Every tensor that a run changes: weights, running statistics, the optimiser's memory, the weights' average; by name.</summary>
/// <remarks>A run that starts from these, and from its position, goes on number by number.</remarks>
internal sealed class RunState
{
    private readonly List<(string Name, Parameter Parameter)> _parameters;
    private readonly IReadOnlyList<(string Name, Tensor Buffer)> _buffers;
    private readonly AdamW _optimizer;
    private readonly WeightAverage? _average;

    /// <param name="task">Whose weights.</param> <param name="optimizer">Of the same parameters in the same order.</param> <param name="average">Likewise; null if there is none.</param>
    public RunState(ITrainingTask task, AdamW optimizer, WeightAverage? average)
    {
        (_optimizer, _average, _buffers) = (optimizer, average, task.Buffers);
        _parameters = [.. task.Groups.SelectMany(g => g.Parameters)];
    }

    /// <summary>Steps that each parameter took part in.</summary>
    public SortedDictionary<string, long> ParameterSteps =>
        new(_parameters.Zip(_optimizer.States).ToDictionary(p => p.First.Name, p => p.Second.Step), StringComparer.Ordinal);

    /// <summary>Updates of the average.</summary>
    public int AverageUpdates => _average?.Updates ?? 0;

    /// <summary>The tensors as they are now; read before the run goes on.</summary>
    public IWeightSource Tensors()
    {
        var tensors = new List<(string, Tensor)>();
        foreach (var ((name, parameter), state) in _parameters.Zip(_optimizer.States))
        {
            tensors.Add(("weights." + name, parameter));
            if (state.ExpAvg is null)
                continue;
            tensors.Add(("exp_avg." + name, state.ExpAvg));
            tensors.Add(("exp_avg_sq." + name, state.ExpAvgSq!));
        }
        tensors.AddRange(_buffers.Select(b => ("buffers." + b.Name, b.Buffer)));
        if (_average is not null)
            tensors.AddRange(_parameters.Zip(_average.Averages).Select(p => ("average." + p.First.Name, p.Second)));
        return new TrainedWeights(tensors);
    }

    /// <summary>Puts everything back.</summary>
    /// <exception cref="FlamingoException">The tensors are those of another model.</exception>
    public void Restore(IWeightSource source, CheckpointState state)
    {
        foreach (var (name, tensor) in _parameters.Select(p => ("weights." + p.Name, (Tensor)p.Parameter)).Concat(_buffers.Select(b => ("buffers." + b.Name, b.Buffer))))
            Check(source, name, tensor);
        if (source.Weights.Keys.FirstOrDefault(IsUnknown) is { } unknown)
            throw new FlamingoException(FlamingoErrorKind.Model, $"'{source.Origin}' holds '{unknown}', which the model does not train: it belongs to another model. Name another output folder.");

        using var quiet = no_grad();
        for (int i = 0; i < _parameters.Count; i++)
        {
            using var scope = NewDisposeScope();
            var (name, parameter) = _parameters[i];
            parameter.copy_(source.Read("weights." + name));
            if (state.ParameterSteps.GetValueOrDefault(name) is > 0 and var step)
                _optimizer.Restore(i, step, source.Read("exp_avg." + name), source.Read("exp_avg_sq." + name));
        }
        using (NewDisposeScope())
        {
            foreach (var (name, buffer) in _buffers)
                buffer.copy_(source.Read("buffers." + name));
            _average?.Restore(state.AverageUpdates, _parameters.Select(p => source.Read("average." + p.Name)));
        }
    }

    private bool IsUnknown(string name) => name.StartsWith("weights.", StringComparison.Ordinal) && !_parameters.Any(p => name.AsSpan(8).SequenceEqual(p.Name));

    private static void Check(IWeightSource source, string name, Tensor tensor)
    {
        if (!source.Weights.TryGetValue(name, out var stored))
            throw new FlamingoException(FlamingoErrorKind.Model, $"'{source.Origin}' lacks '{name}': it belongs to another model. Name another output folder.");
        if (!stored.Shape.SequenceEqual(tensor.shape))
        {
            throw new FlamingoException(FlamingoErrorKind.Model,
                $"'{source.Origin}' holds '{name}' as [{string.Join(", ", stored.Shape)}] but the model has [{string.Join(", ", tensor.shape)}]: it belongs to another model. Name another output folder.");
        }
    }
}
