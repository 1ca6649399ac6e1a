using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Embeddings;

/// <summary>Stores embeddings in files that other tools read.</summary>
public static class EmbeddingFile
{
    /// <summary>
    /// Writes embeddings by the file's ending: <c>.safetensors</c>, a tensor [dimensions] for each name; or <c>.npy</c>, one float32 matrix
    /// [items, dimensions] in the order given, without names. The file appears whole or not at all.
    /// </summary>
    /// <param name="path">The file; one that exists is replaced.</param>
    /// <param name="items">Names, no two the same, and vectors of one length.</param>
    /// <exception cref="FlamingoException">The ending is another, or a name is there twice.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<(string Name, float[] Vector)> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        CheckEnding(path);
        if (items.CountBy(i => i.Name, StringComparer.Ordinal).FirstOrDefault(i => i.Value > 1).Key is { } twice)
            throw Wrong($"'{twice}' is to be stored twice; name each once.");
        if (IsNumpy(path))
            AtomicFile.Write(path, file => WriteNumpy(file, items));
        else
            SafeTensorsWriter.WriteFile(path, new Vectors(path, items));
    }

    /// <summary>Checks, before anything is computed, that a name has an ending that can be written.</summary>
    /// <exception cref="FlamingoException">It has not.</exception>
    public static void CheckEnding(string path)
    {
        if (!IsNumpy(path) && !path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
            throw Wrong($"'{path}' ends neither in .safetensors nor in .npy; choose one of them.");
    }

    private static bool IsNumpy(string path) => path.EndsWith(".npy", StringComparison.OrdinalIgnoreCase);

    // Source: numpy's format 1.0: magic, version, length of the header, the header as a Python dictionary up to a multiple of 64 bytes, the data.
    private static void WriteNumpy(Stream file, IReadOnlyList<(string Name, float[] Vector)> items)
    {
        const int Preamble = 10;
        string shape = string.Create(CultureInfo.InvariantCulture, $"({items.Count}, {(items.Count > 0 ? items[0].Vector.Length : 0)})");
        string header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}";
        header = header.PadRight(((Preamble + header.Length + 1 + 63) / 64 * 64) - Preamble - 1) + "\n";
        file.Write([0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, (byte)(header.Length >> 8)]);
        file.Write(Encoding.ASCII.GetBytes(header));
        foreach (var (_, vector) in items)
            file.Write(MemoryMarshal.AsBytes<float>(vector));
    }

    private static FlamingoException Wrong(string message) => new(FlamingoErrorKind.Usage, message);

    private sealed class Vectors(string origin, IReadOnlyList<(string Name, float[] Vector)> items) : IWeightSource
    {
        private readonly Dictionary<string, float[]> _vectors = items.ToDictionary(i => i.Name, i => i.Vector, StringComparer.Ordinal);

        public string Origin => origin;

        public IReadOnlyDictionary<string, WeightInfo> Weights { get; } =
            items.ToDictionary(i => i.Name, i => new WeightInfo(i.Name, [i.Vector.Length], ScalarType.Float32), StringComparer.Ordinal);

        public Tensor Read(string name, ScalarType? type = null) => tensor(_vectors[name], type ?? ScalarType.Float32);

        public void Dispose()
        {
        }
    }
}
