using static TorchSharp.torch;

namespace FlamingoSharp.Weights;

/// <summary>A source under other names; tensors whose name maps to null are left out, and so are never read.</summary>
internal sealed class RenamedSource : IWeightSource
{
    private readonly IWeightSource _inner;
    private readonly Dictionary<string, string> _original = [];
    private readonly Dictionary<string, WeightInfo> _weights = [];

    /// <summary>Takes over the inner source.</summary>
    public RenamedSource(IWeightSource inner, Func<string, string?> map)
    {
        _inner = inner;
        foreach (var (name, info) in inner.Weights)
        {
            if (map(name) is not { } renamed)
                continue;
            _original[renamed] = name;
            _weights[renamed] = info with { Name = renamed };
        }
    }

    /// <inheritdoc/>
    public string Origin => _inner.Origin;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, WeightInfo> Weights => _weights;

    /// <inheritdoc/>
    public Tensor Read(string name, ScalarType? type = null) => _original.TryGetValue(name, out string? original)
        ? _inner.Read(original, type)
        : throw new FlamingoException(FlamingoErrorKind.Model, $"{Origin}: there is no tensor '{name}'.");

    /// <inheritdoc/>
    public void Dispose() => _inner.Dispose();
}
