using System.Text.Json.Nodes;
using FlamingoSharp.Weights;

namespace FlamingoSharp.TestKit;

/// <summary>Reads a weights.json of the reference vectors: the names, shapes, centres and amplitudes of synthetic tensors.</summary>
public static class SyntheticWeightSource
{
    /// <summary>Reads a weights.json; <paramref name="prefix"/> is hashed with the names but is no part of them.</summary>
    public static SyntheticCheckpoint FromJson(string path, string prefix) => new(path, Tensors(path, prefix));

    /// <summary>The entries whose names begin with a prefix, without it.</summary>
    public static IReadOnlyList<SyntheticTensor> Tensors(string path, string prefix)
    {
        var json = JsonNode.Parse(File.ReadAllText(path))!;
        string salt = (string?)json["salt"] ?? "";
        return
        [
            .. from tensor in json["tensors"]!.AsArray()
               let full = (string)tensor["name"]!
               where full.StartsWith(prefix, StringComparison.Ordinal)
               let shape = tensor["shape"]!.AsArray().Select(d => (long)d!).ToArray()
               select new SyntheticTensor(full[prefix.Length..], shape, (double)tensor["base"]!, (double)tensor["amp"]!, salt + full),
        ];
    }
}
