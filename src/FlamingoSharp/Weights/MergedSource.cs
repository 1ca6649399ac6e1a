using static TorchSharp.torch;

namespace FlamingoSharp.Weights;

/// <summary>Several sources as one, in order: a tensor of a later part replaces one of the same name.</summary>
internal sealed class MergedSource : IWeightSource
{
    private readonly IWeightSource[] _parts;
    private readonly Dictionary<string, WeightInfo> _weights = [];
    private readonly Dictionary<string, IWeightSource> _owners = [];

    /// <summary>Takes over the parts.</summary>
    public MergedSource(string origin, params IWeightSource[] parts)
    {
        Origin = origin;
        _parts = parts;
        foreach (var part in parts)
        {
            foreach (var (name, info) in part.Weights)
            {
                _weights[name] = info;
                _owners[name] = part;
            }
        }
    }

    /// <inheritdoc/>
    public string Origin { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, WeightInfo> Weights => _weights;

    /// <inheritdoc/>
    public Tensor Read(string name, ScalarType? type = null) =>
        _owners.TryGetValue(name, out var part)
            ? part.Read(name, type)
            : throw new FlamingoException(FlamingoErrorKind.Model, $"{Origin}: there is no tensor '{name}'.");

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var part in _parts)
            part.Dispose();
    }
}
