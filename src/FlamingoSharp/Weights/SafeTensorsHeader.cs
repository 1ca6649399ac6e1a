using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using static TorchSharp.torch;

namespace FlamingoSharp.Weights;

/// <summary>The checked header of a .safetensors file.</summary>
internal sealed class SafeTensorsHeader
{
    private const long LargestHeader = 100L << 20;

    private readonly CheckpointFile _file;
    private readonly List<(WeightInfo Info, long Start, long End, long Where)> _found = [];
    private readonly Dictionary<string, string> _metadata = [];

    private SafeTensorsHeader(CheckpointFile file) => _file = file;

    /// <summary>Tensors in the order of the header, each with the file offset of its first byte.</summary>
    public IReadOnlyList<(WeightInfo Info, long Start)> Entries { get; private set; } = [];

    /// <summary>The free texts of <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>The name of an element type in the header; null for one that the format does not know.</summary>
    public static string? NameOf(ScalarType type) => type switch
    {
        ScalarType.Float64 => "F64",
        ScalarType.Float32 => "F32",
        ScalarType.Float16 => "F16",
        ScalarType.BFloat16 => "BF16",
        ScalarType.Int64 => "I64",
        ScalarType.Int32 => "I32",
        ScalarType.Int16 => "I16",
        ScalarType.Int8 => "I8",
        ScalarType.Byte => "U8",
        ScalarType.Bool => "BOOL",
        _ => null,
    };

    /// <summary>Reads and checks the header.</summary>
    /// <exception cref="FlamingoException">The header does not describe the file.</exception>
    public static SafeTensorsHeader Read(CheckpointFile file)
    {
        var result = new SafeTensorsHeader(file);
        Span<byte> length = stackalloc byte[8];
        file.Read(0, length);
        ulong size = BinaryPrimitives.ReadUInt64LittleEndian(length);
        if (size > (ulong)(file.Length - 8))
            throw file.Corrupt(0, string.Create(CultureInfo.InvariantCulture, $"the header is said to be {size} bytes long, but the file holds only {file.Length - 8} after its first 8"));
        if (size > LargestHeader)
            throw file.Corrupt(0, string.Create(CultureInfo.InvariantCulture, $"the header is said to be {size} bytes long; at most {LargestHeader} are accepted"));
        byte[] header = new byte[size];
        file.Read(8, header);
        try
        {
            result.Parse(header);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            // Utf8JsonReader says InvalidOperationException of a value of another kind and of text that is not UTF-8.
            throw file.Corrupt(8 + ((e as JsonException)?.BytePositionInLine ?? 0), $"the header is not sound JSON: {e.Message.TrimEnd('.')}", e);
        }
        result.CheckRanges(8 + (long)size);
        return result;
    }

    private void Parse(ReadOnlySpan<byte> header)
    {
        var json = new Utf8JsonReader(header);
        Expect(ref json, JsonTokenType.StartObject);
        var seen = new HashSet<string>();
        while (Next(ref json) == JsonTokenType.PropertyName)
        {
            long where = 8 + json.TokenStartIndex;
            string name = json.GetString()!;
            if (!seen.Add(name))
                throw _file.Corrupt(where, $"'{name}' stands twice in the header");
            if (name == "__metadata__")
                ParseMetadata(ref json);
            else
                ParseTensor(ref json, name, where);
        }
        while (json.Read())
            throw _file.Corrupt(8 + json.TokenStartIndex, "the header goes on after its end");
    }

    private void ParseMetadata(ref Utf8JsonReader json)
    {
        Expect(ref json, JsonTokenType.StartObject);
        while (Next(ref json) == JsonTokenType.PropertyName)
        {
            string key = json.GetString()!;
            Expect(ref json, JsonTokenType.String);
            _metadata[key] = json.GetString()!;
        }
    }

    private void ParseTensor(ref Utf8JsonReader json, string name, long where)
    {
        string? type = null;
        List<long>? shape = null, offsets = null;
        Expect(ref json, JsonTokenType.StartObject);
        while (Next(ref json) == JsonTokenType.PropertyName)
        {
            switch (json.GetString())
            {
                case "dtype":
                    Expect(ref json, JsonTokenType.String);
                    type = json.GetString();
                    break;
                case "shape":
                    shape = Numbers(ref json, name);
                    break;
                case "data_offsets":
                    offsets = Numbers(ref json, name);
                    break;
                case var other:
                    throw _file.Corrupt(8 + json.TokenStartIndex, $"tensor '{name}' has a field '{other}'; dtype, shape and data_offsets are known");
            }
        }
        if (type is null || shape is null || offsets is not [var start, var end])
            throw _file.Corrupt(where, $"tensor '{name}' needs dtype, shape and two data_offsets");
        var info = new WeightInfo(name, shape, TypeOf(type) ?? throw _file.Corrupt(where, $"tensor '{name}' has the unknown element type '{type}'"));
        long bytes;
        try
        {
            bytes = checked(info.Count * ElementReader.SizeOf(info.Type));
        }
        catch (OverflowException e)
        {
            throw _file.Corrupt(where, $"the size of tensor '{name}', [{string.Join(", ", shape)}], does not fit 64 bits", e);
        }
        if (start > end || end - start != bytes)
        {
            throw _file.Corrupt(where, string.Create(CultureInfo.InvariantCulture,
                $"tensor '{name}' of shape [{string.Join(", ", shape)}] and type {type} needs {bytes} bytes, but its data_offsets are {start} and {end}"));
        }
        _found.Add((info, start, end, where));
    }

    private void CheckRanges(long dataStart)
    {
        long position = 0, available = _file.Length - dataStart;
        foreach (var (info, start, end, where) in _found.OrderBy(f => f.Start).ThenBy(f => f.End))
        {
            if (start != position)
            {
                throw _file.Corrupt(where, string.Create(CultureInfo.InvariantCulture,
                    $"the data of tensor '{info.Name}' start at {start}, but those before it end at {position}: a hole or an overlap"));
            }
            if (end > available)
            {
                throw _file.Corrupt(where, string.Create(CultureInfo.InvariantCulture,
                    $"the data of tensor '{info.Name}' end at {end}, but the file holds only {available} bytes of data; it is cut off"));
            }
            position = end;
        }
        if (position != available)
            throw _file.Corrupt(dataStart + position, string.Create(CultureInfo.InvariantCulture, $"{available - position} bytes after the last tensor belong to none"));
        Entries = [.. _found.Select(f => (f.Info, dataStart + f.Start))];
    }

    private List<long> Numbers(ref Utf8JsonReader json, string name)
    {
        Expect(ref json, JsonTokenType.StartArray);
        var numbers = new List<long>();
        while (Next(ref json) != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out long number) || number < 0)
                throw _file.Corrupt(8 + json.TokenStartIndex, $"tensor '{name}' has a dimension or offset that is no whole number of 0 or more");
            numbers.Add(number);
            if (numbers.Count > 64)
                throw _file.Corrupt(8 + json.TokenStartIndex, $"tensor '{name}' has more than 64 dimensions");
        }
        return numbers;
    }

    private void Expect(ref Utf8JsonReader json, JsonTokenType type)
    {
        if (Next(ref json) != type)
            throw _file.Corrupt(8 + json.TokenStartIndex, $"the header has a {json.TokenType} where a {type} was expected");
    }

    private JsonTokenType Next(ref Utf8JsonReader json) =>
        json.Read() ? json.TokenType : throw _file.Corrupt(8 + json.BytesConsumed, "the header ends too early");

    private static ScalarType? TypeOf(string name) => name switch
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
        _ => null,
    };
}
