using System.Text.Json.Nodes;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.TestKit;

/// <summary>A checkpoint made of synthetic values, as a weights.json of the reference vectors describes it.</summary>
public sealed class SyntheticWeightSource : IWeightSource
{
    private readonly Dictionary<string, WeightInfo> _weights = [];
    private readonly Dictionary<string, (string Seeded, double Center, double Amplitude)> _recipes = [];

    private SyntheticWeightSource(string origin) => Origin = origin;

    /// <summary>Reads a weights.json; <paramref name="prefix"/> is hashed with the names but is no part of them.</summary>
    public static SyntheticWeightSource FromJson(string path, string prefix)
    {
        var json = JsonNode.Parse(File.ReadAllText(path))!;
        string salt = (string?)json["salt"] ?? "";
        var source = new SyntheticWeightSource(path);
        foreach (var tensor in json["tensors"]!.AsArray())
        {
            string full = (string)tensor!["name"]!;
            if (!full.StartsWith(prefix, StringComparison.Ordinal))
                continue;
            string name = full[prefix.Length..];
            long[] shape = [.. tensor["shape"]!.AsArray().Select(d => (long)d!)];
            source._weights[name] = new WeightInfo(name, shape, ScalarType.Float32);
            source._recipes[name] = (salt + full, (double)tensor["base"]!, (double)tensor["amp"]!);
        }
        return source;
    }

    /// <inheritdoc/>
    public string Origin { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, WeightInfo> Weights => _weights;

    /// <inheritdoc/>
    public Tensor Read(string name, ScalarType? type = null)
    {
        var info = _weights[name];
        var (seeded, center, amplitude) = _recipes[name];
        var values = tensor(SyntheticWeights.Values(seeded, info.Count, center, amplitude), [.. info.Shape]);
        return type is { } wanted && wanted != ScalarType.Float32 ? values.to_type(wanted) : values;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
