using System.Buffers.Binary;
using static TorchSharp.torch;

namespace FlamingoSharp.Weights;

/// <summary>Reads one .safetensors file: an 8-byte header length, a JSON header, raw little-endian data.</summary>
/// <remarks>
/// Everything the header says is checked before any tensor is made: known element types, dimensions whose product fits, ranges that lie
/// one behind the other from the first byte of the data to the last, without hole or overlap.
/// </remarks>
public sealed class SafeTensorsReader : IWeightSource
{
    private readonly CheckpointFile _file;
    private readonly Dictionary<string, WeightInfo> _weights = [];
    private readonly Dictionary<string, long> _starts = [];

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="FlamingoException">The file is missing or is not a sound safetensors file; the message names file and byte.</exception>
    public SafeTensorsReader(string path)
    {
        Origin = path;
        _file = new CheckpointFile(path);
        try
        {
            var header = SafeTensorsHeader.Read(_file);
            Metadata = header.Metadata;
            foreach (var (info, start) in header.Entries)
            {
                _weights[info.Name] = info;
                _starts[info.Name] = start;
            }
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string Origin { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, WeightInfo> Weights => _weights;

    /// <summary>The free texts of <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <inheritdoc/>
    public Tensor Read(string name, ScalarType? type = null)
    {
        if (!_weights.TryGetValue(name, out var info))
            throw new FlamingoException(FlamingoErrorKind.Model, $"{Origin}: there is no tensor '{name}'.");
        long start = _starts[name];
        return ElementReader.Contiguous(info, type, (position, buffer) => _file.Read(start + position, buffer));
    }

    /// <summary>True if the file's first bytes can be those of a safetensors file: a header length that fits, then a brace.</summary>
    internal static bool Recognises(CheckpointFile file)
    {
        if (file.Length < 10)
            return false;
        Span<byte> start = stackalloc byte[9];
        file.Read(0, start);
        return start[8] == (byte)'{' && !start.StartsWith("PK\u0003\u0004"u8) && BinaryPrimitives.ReadUInt64LittleEndian(start) < 1UL << 48;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
