using FlamingoSharp.Runtime;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>Several checkpoints of one model as one: each floating-point tensor is the mean of theirs.</summary>
/// <remarks>
/// Runs that began with the same weights lie close enough together for that, and their mean is often better than each on what they have not learned
/// ("Model soups", arXiv 2203.05482). Whole numbers are the first one's.
/// </remarks>
internal sealed class AveragedSource : IWeightSource
{
    private readonly IReadOnlyList<IWeightSource> _parts;

    /// <param name="parts">Stay the caller's.</param>
    /// <exception cref="FlamingoException">They do not have the same tensors.</exception>
    public AveragedSource(IReadOnlyList<IWeightSource> parts)
    {
        _parts = parts;
        Origin = string.Join(", ", parts.Select(p => p.Origin));
        foreach (var other in parts.Skip(1))
        {
            string? alone = parts[0].Weights.Keys.Except(other.Weights.Keys).Concat(other.Weights.Keys.Except(parts[0].Weights.Keys)).FirstOrDefault();
            if (alone is not null)
                throw Unlike(other, $"only one of them has '{alone}'");
            if (other.Weights.Values.FirstOrDefault(w => !w.Shape.SequenceEqual(Weights[w.Name].Shape)) is { } unlike)
                throw Unlike(other, $"'{unlike.Name}' is [{string.Join(", ", Weights[unlike.Name].Shape)}] in one and [{string.Join(", ", unlike.Shape)}] in the other");
        }
    }

    /// <inheritdoc/>
    public string Origin { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, WeightInfo> Weights => _parts[0].Weights;

    /// <inheritdoc/>
    public Tensor Read(string name, ScalarType? type = null)
    {
        if (!Weights.TryGetValue(name, out var info) || !info.IsFloating)
            return _parts[0].Read(name, type);
        using var scope = NewDisposeScope();
        var sum = _parts[0].Read(name, ScalarType.Float64);
        foreach (var part in _parts.Skip(1))
            sum = sum.Plus(part.Read(name, ScalarType.Float64));
        return sum.Times(1.0 / _parts.Count).to_type(type ?? info.Type).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The parts are the caller's.
    }

    private FlamingoException Unlike(IWeightSource other, string how) => new(
        FlamingoErrorKind.Model, $"{_parts[0].Origin} and {other.Origin} are not two states of one model: {how}. Average runs that began with the same weights.");
}
