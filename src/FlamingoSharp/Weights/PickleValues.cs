using static TorchSharp.torch;

namespace FlamingoSharp.Weights;

/// <summary>The only callables and classes that a checkpoint may name; naming one calls nothing.</summary>
/// <param name="Kind">What it stands for.</param>
/// <param name="Element">The element type, of a storage class.</param>
internal sealed record PickleGlobal(PickleGlobalKind Kind, ScalarType Element = ScalarType.Byte)
{
    /// <summary>The listed names; null for any other.</summary>
    public static PickleGlobal? Named(string module, string name) => (module, name) switch
    {
        ("collections", "OrderedDict") => new(PickleGlobalKind.OrderedDictionary),
        ("torch._utils", "_rebuild_tensor_v2") => new(PickleGlobalKind.Tensor),
        ("torch._utils", "_rebuild_parameter") => new(PickleGlobalKind.Parameter),
        ("torch", "DoubleStorage") => new(PickleGlobalKind.Storage, ScalarType.Float64),
        ("torch", "FloatStorage") => new(PickleGlobalKind.Storage, ScalarType.Float32),
        ("torch", "HalfStorage") => new(PickleGlobalKind.Storage, ScalarType.Float16),
        ("torch", "BFloat16Storage") => new(PickleGlobalKind.Storage, ScalarType.BFloat16),
        ("torch", "LongStorage") => new(PickleGlobalKind.Storage, ScalarType.Int64),
        ("torch", "IntStorage") => new(PickleGlobalKind.Storage, ScalarType.Int32),
        ("torch", "ShortStorage") => new(PickleGlobalKind.Storage, ScalarType.Int16),
        ("torch", "CharStorage") => new(PickleGlobalKind.Storage, ScalarType.Int8),
        ("torch", "ByteStorage") => new(PickleGlobalKind.Storage, ScalarType.Byte),
        ("torch", "BoolStorage") => new(PickleGlobalKind.Storage, ScalarType.Bool),
        _ => null,
    };
}

/// <summary>What a name in a pickle stands for.</summary>
internal enum PickleGlobalKind
{
    /// <summary>collections.OrderedDict.</summary>
    OrderedDictionary,

    /// <summary>torch._utils._rebuild_tensor_v2.</summary>
    Tensor,

    /// <summary>torch._utils._rebuild_parameter.</summary>
    Parameter,

    /// <summary>One of torch's typed storages.</summary>
    Storage,
}

/// <summary>A dictionary of a pickle, in order, not indexed: keys may be anything and hash to nothing.</summary>
internal sealed class PickleDictionary
{
    /// <summary>Keys and values as set, one behind the other.</summary>
    public List<(object? Key, object? Value)> Items { get; } = [];

    /// <summary>The last value set for a text; null if there is none.</summary>
    public object? this[string key] => Items.FindLast(i => i.Key is string text && text == key).Value;
}

/// <summary>A storage that a pickle refers to; its data lie elsewhere in the file.</summary>
/// <param name="Key">Name of the record.</param>
/// <param name="Type">Element type.</param>
/// <param name="Elements">Number of elements.</param>
/// <param name="Where">File offset of the reference.</param>
internal sealed record StorageReference(string Key, ScalarType Type, long Elements, long Where)
{
    /// <summary>Size in bytes.</summary>
    public long Bytes => checked(Elements * ElementReader.SizeOf(Type));
}

/// <summary>A view on a storage: which elements make the tensor. Checked to lie within it.</summary>
/// <param name="Storage">Where the elements are.</param>
/// <param name="Offset">Of the first, in elements.</param>
/// <param name="Size">Dimensions.</param>
/// <param name="Stride">Step of each dimension, in elements; 0 repeats.</param>
/// <param name="Where">File offset of the definition.</param>
internal sealed record TensorReference(StorageReference Storage, long Offset, long[] Size, long[] Stride, long Where);
