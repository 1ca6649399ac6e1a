using static TorchSharp.torch;

namespace FlamingoSharp.Weights;

/// <summary>What a checkpoint says of one tensor before its data are read.</summary>
/// <param name="Name">The key in the checkpoint.</param>
/// <param name="Shape">Its dimensions; empty for a single number.</param>
/// <param name="Type">The element type as stored.</param>
public sealed record WeightInfo(string Name, IReadOnlyList<long> Shape, ScalarType Type)
{
    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, (a, b) => checked(a * b));

    /// <summary>True for the types that may be converted into one another when a model is loaded.</summary>
    public bool IsFloating => Type is ScalarType.Float64 or ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16;
}

/// <summary>
/// A checkpoint of any form, opened: its tensors are known by name and read one at a time, so that memory stays near that of the tensors kept.
/// </summary>
public interface IWeightSource : IDisposable
{
    /// <summary>Where the tensors come from, for messages: a file or folder name.</summary>
    string Origin { get; }

    /// <summary>Every tensor, in the order of the file.</summary>
    IReadOnlyDictionary<string, WeightInfo> Weights { get; }

    /// <summary>Reads one tensor.</summary>
    /// <param name="name">A key of <see cref="Weights"/>.</param>
    /// <param name="type">The wanted element type; null keeps the stored one.</param>
    /// <returns>A contiguous CPU tensor of the listed shape, owned by the caller's dispose scope.</returns>
    /// <exception cref="FlamingoException">There is no such tensor, or its data are missing or corrupt.</exception>
    Tensor Read(string name, ScalarType? type = null);
}
