using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using static TorchSharp.torch;

namespace FlamingoSharp.Weights;

/// <summary>How far long work on a checkpoint has come.</summary>
/// <param name="Name">The tensor being worked on.</param>
/// <param name="BytesDone">Bytes finished.</param>
/// <param name="BytesTotal">Bytes in all.</param>
public readonly record struct WeightProgress(string Name, long BytesDone, long BytesTotal);

/// <summary>How a checkpoint is written.</summary>
public sealed record SafeTensorsOptions
{
    /// <summary>Element type of the floating-point tensors; null keeps that of the source.</summary>
    public ScalarType? Type { get; init; }

    /// <summary>Largest size of one file's data, in bytes; a single larger tensor gets a file of its own.</summary>
    public long ShardBytes { get; init; } = 2L << 30;

    /// <summary>Is told before each tensor.</summary>
    public IProgress<WeightProgress>? Progress { get; init; }
}

/// <summary>Writes .safetensors files, a tensor at a time; the same tensors give the same bytes.</summary>
/// <remarks>A file appears under its name only when it is complete and on disk.</remarks>
public static class SafeTensorsWriter
{
    /// <summary>Writes one file.</summary>
    /// <exception cref="FlamingoException">A tensor cannot be read.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void WriteFile(string path, IWeightSource source, SafeTensorsOptions? options = null, CancellationToken cancellation = default)
    {
        var run = new Run(source, options ?? new(), cancellation);
        run.Write(path, run.All);
    }

    /// <summary>
    /// Writes a folder: <c>model.safetensors</c>, or <c>model-00001-of-0000N.safetensors</c> with <c>model.safetensors.index.json</c>.
    /// </summary>
    /// <inheritdoc cref="WriteFile"/>
    public static void WriteFolder(string folder, IWeightSource source, SafeTensorsOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new();
        var run = new Run(source, options, cancellation);
        var shards = new List<List<WeightInfo>>();
        long filled = 0;
        foreach (var info in run.All)
        {
            if (shards.Count == 0 || (filled > 0 && filled + Run.Bytes(info) > options.ShardBytes))
            {
                shards.Add([]);
                filled = 0;
            }
            shards[^1].Add(info);
            filled += Run.Bytes(info);
        }
        Directory.CreateDirectory(folder);
        if (shards.Count <= 1)
        {
            run.Write(Path.Combine(folder, "model.safetensors"), run.All);
            return;
        }
        var map = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < shards.Count; i++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"model-{i + 1:00000}-of-{shards.Count:00000}.safetensors");
            run.Write(Path.Combine(folder, name), shards[i]);
            shards[i].ForEach(info => map[info.Name] = name);
        }
        AtomicFile.Write(Path.Combine(folder, "model.safetensors.index.json"), file =>
        {
            using var json = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true, NewLine = "\n" });
            json.WriteStartObject();
            json.WriteStartObject("metadata");
            json.WriteNumber("total_size", run.Total);
            json.WriteEndObject();
            json.WriteStartObject("weight_map");
            foreach (var (name, shard) in map)
                json.WriteString(name, shard);
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    /// <summary>One writing of one source.</summary>
    private sealed class Run
    {
        private readonly IWeightSource _source;
        private readonly SafeTensorsOptions _options;
        private readonly CancellationToken _cancellation;
        private long _done;

        public Run(IWeightSource source, SafeTensorsOptions options, CancellationToken cancellation)
        {
            (_source, _options, _cancellation) = (source, options, cancellation);
            All = [.. source.Weights.Values.Select(w => w.IsFloating && options.Type is { } type ? w with { Type = type } : w)];
            Total = All.Sum(Bytes);
        }

        /// <summary>What is written, in the types it is written in.</summary>
        public IReadOnlyList<WeightInfo> All { get; }

        public long Total { get; }

        public static long Bytes(WeightInfo info) => info.Count * ElementReader.SizeOf(info.Type);

        public void Write(string path, IReadOnlyList<WeightInfo> weights) => AtomicFile.Write(path, file =>
        {
            byte[] header = Header(weights);
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            file.Write(length);
            file.Write(header);
            foreach (var info in weights)
            {
                _cancellation.ThrowIfCancellationRequested();
                _options.Progress?.Report(new WeightProgress(info.Name, _done, Total));
                using var tensor = _source.Read(info.Name, info.Type);
                using var flat = tensor.view(-1);
                long chunk = ElementReader.ChunkBytes / ElementReader.SizeOf(info.Type);
                for (long start = 0; start < info.Count; start += chunk)
                {
                    using var piece = flat.narrow(0, start, Math.Min(chunk, info.Count - start));
                    file.Write(piece.bytes);
                }
                _done += Bytes(info);
            }
        });

        /// <summary>JSON, filled up with spaces so that the data begin at a multiple of 8.</summary>
        private static byte[] Header(IReadOnlyList<WeightInfo> weights)
        {
            using var text = new MemoryStream();
            using (var json = new Utf8JsonWriter(text))
            {
                json.WriteStartObject();
                json.WriteStartObject("__metadata__");
                json.WriteString("format", "pt");
                json.WriteEndObject();
                long offset = 0;
                foreach (var info in weights)
                {
                    json.WriteStartObject(info.Name);
                    json.WriteString("dtype", SafeTensorsHeader.NameOf(info.Type));
                    json.WriteStartArray("shape");
                    foreach (long size in info.Shape)
                        json.WriteNumberValue(size);
                    json.WriteEndArray();
                    json.WriteStartArray("data_offsets");
                    json.WriteNumberValue(offset);
                    json.WriteNumberValue(offset += Bytes(info));
                    json.WriteEndArray();
                    json.WriteEndObject();
                }
                json.WriteEndObject();
            }
            while (text.Length % 8 != 0)
                text.WriteByte((byte)' ');
            return text.ToArray();
        }
    }
}
