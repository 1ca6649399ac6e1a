using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace FlamingoSharp.Weights;

/// <summary>Reads one .safetensors file.</summary>
public sealed class SafeTensorsReader : IWeightSource
{
    private readonly FileStream _file;
    private readonly Dictionary<string, WeightInfo> _weights = [];
    private readonly Dictionary<string, (long Start, long End)> _ranges = [];

    /// <summary>Opens a file and checks its header.</summary>
    public SafeTensorsReader(string path)
    {
        Origin = path;
        _file = File.OpenRead(path);
        Span<byte> length = stackalloc byte[8];
        _file.ReadExactly(length);
        byte[] header = new byte[BinaryPrimitives.ReadInt64LittleEndian(length)];
        _file.ReadExactly(header);
        using var json = JsonDocument.Parse(header);
        foreach (var entry in json.RootElement.EnumerateObject().Where(e => e.Name != "__metadata__"))
        {
            long[] shape = [.. entry.Value.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64())];
            var offsets = entry.Value.GetProperty("data_offsets");
            _weights[entry.Name] = new WeightInfo(entry.Name, shape, TypeOf(entry.Value.GetProperty("dtype").GetString()!));
            _ranges[entry.Name] = (8 + header.Length + offsets[0].GetInt64(), 8 + header.Length + offsets[1].GetInt64());
        }
    }

    /// <inheritdoc/>
    public string Origin { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, WeightInfo> Weights => _weights;

    /// <inheritdoc/>
    public Tensor Read(string name, ScalarType? type = null)
    {
        var info = _weights[name];
        var (start, _) = _ranges[name];
        var tensor = empty([.. info.Shape], info.Type);
        if (info.Count > 0)
        {
            _file.Position = start;
            _file.ReadExactly(tensor.bytes);
        }
        return type is { } wanted && wanted != info.Type ? tensor.to_type(wanted) : tensor;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static ScalarType TypeOf(string name) => name switch
    {
        "F64" => ScalarType.Float64,
        "F32" => ScalarType.Float32,
        "F16" => ScalarType.Float16,
        "BF16" => ScalarType.BFloat16,
        "I64" => ScalarType.Int64,
        "I32" => ScalarType.Int32,
        "I16" => ScalarType.Int16,
        "I8" => ScalarType.Int8,
        "U8" => ScalarType.Byte,
        "BOOL" => ScalarType.Bool,
        _ => throw new FlamingoException(FlamingoErrorKind.Model, $"unknown element type '{name}'"),
    };
}
