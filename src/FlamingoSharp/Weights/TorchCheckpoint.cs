using System.Numerics;
using static TorchSharp.torch;

namespace FlamingoSharp.Weights;

/// <summary>Reads what torch.save writes: the zip form (torch 1.6 and later) and the older form of pickles with raw storages behind them.</summary>
/// <remarks>
/// Opening reads the pickle alone; a tensor is read when it is asked for. The state dictionary is found under <c>model_state_dict</c>,
/// <c>state_dict</c> or <c>model</c>, or is the whole; every <c>module.</c> in its names is removed.
/// </remarks>
public sealed class TorchCheckpoint : IWeightSource
{
    private const long LargestPickle = 16L << 20;
    private const long LargestRepeated = 256L << 20;
    private const long LegacyVersion = 1001;
    private static readonly BigInteger s_legacyMagic = new([0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]);
    private static readonly string[] s_wrappers = ["model_state_dict", "state_dict", "model"];

    private readonly CheckpointFile _file;
    private readonly Dictionary<string, WeightInfo> _weights = [];
    private readonly Dictionary<string, TensorReference> _tensors = [];
    private readonly Dictionary<string, TorchStorage> _storages = [];

    /// <summary>Opens a file and reads its pickle.</summary>
    /// <exception cref="FlamingoException">
    /// The file is missing, cut off, damaged, or names anything but tensors; the message names file and byte. Nothing in it is ever run.
    /// </exception>
    public TorchCheckpoint(string path)
    {
        Origin = path;
        _file = new CheckpointFile(path);
        try
        {
            object? root = IsZip(_file) ? OpenZip() : OpenLegacy();
            Collect(root);
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

    /// <summary>The epoch that the training loop noted beside the weights; null if it noted none.</summary>
    public long? Epoch { get; private set; }

    /// <inheritdoc/>
    public Tensor Read(string name, ScalarType? type = null)
    {
        if (!_tensors.TryGetValue(name, out var tensor))
            throw new FlamingoException(FlamingoErrorKind.Model, $"{Origin}: there is no tensor '{name}'.");
        var info = _weights[name];
        long bytes = info.Count * ElementReader.SizeOf(info.Type);
        if (bytes > Math.Max(LargestRepeated, tensor.Storage.Bytes))
            throw _file.Corrupt(tensor.Where, $"tensor '{name}' would repeat its few stored elements to {bytes} bytes");
        return _storages[tensor.Storage.Key].Read(tensor, info, type);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>True if the first bytes are those of a zip archive or of a protocol-2 pickle.</summary>
    internal static bool Recognises(CheckpointFile file)
    {
        if (file.Length < 4)
            return false;
        Span<byte> start = stackalloc byte[2];
        file.Read(0, start);
        return IsZip(file) || start.SequenceEqual((ReadOnlySpan<byte>)[0x80, 2]);
    }

    private static bool IsZip(CheckpointFile file)
    {
        Span<byte> start = stackalloc byte[4];
        file.Read(0, start);
        return start.SequenceEqual("PK\u0003\u0004"u8);
    }

    private object? OpenZip()
    {
        var zip = new ZipDirectory(_file);
        ZipEntry[] pickles = [.. zip.Entries.Values.Where(e => e.Name.EndsWith("/data.pkl", StringComparison.Ordinal) && e.Name.Count(c => c == '/') == 1)];
        if (pickles is not [var pickle])
            throw _file.Corrupt(0, $"a torch checkpoint has one '<folder>/data.pkl', this zip archive has {pickles.Length}");
        string top = pickle.Name[..^"data.pkl".Length];
        if (zip.Entries.TryGetValue(top + "byteorder", out var order))
        {
            byte[] text = new byte[Math.Min(order.Size, 16)];
            _file.Read(zip.DataStart(order), text);
            if (!text.AsSpan().SequenceEqual("little"u8))
                throw _file.Corrupt(order.Header, "the checkpoint was written on a big-endian machine");
        }
        long start = zip.DataStart(pickle), at = start;
        if (pickle.Size > LargestPickle)
            throw _file.Corrupt(pickle.Header, $"'{pickle.Name}' has {pickle.Size} bytes; at most {LargestPickle} are accepted");
        new TorchStorage(_file, pickle.Name, start, pickle.Size, pickle.Crc).Verify();
        var references = new List<StorageReference>();
        object? root = Unpickler.Load(_file, ref at, start + pickle.Size, references);
        foreach (var storage in references)
        {
            string record = $"{top}data/{storage.Key}";
            if (!zip.Entries.TryGetValue(record, out var entry))
                throw _file.Corrupt(storage.Where, $"the zip record '{Shortened(record)}' is missing");
            if (entry.Size < storage.Bytes)
                throw _file.Corrupt(storage.Where, $"the zip record '{record}' holds {entry.Size} bytes, but {storage.Bytes} are needed");
            if (!_storages.ContainsKey(storage.Key))
                _storages[storage.Key] = new TorchStorage(_file, record, zip.DataStart(entry), entry.Size, entry.Crc);
        }
        return root;
    }

    private object? OpenLegacy()
    {
        long at = 0;
        var references = new List<StorageReference>();
        object? Next() => Unpickler.Load(_file, ref at, Math.Min(_file.Length, at + LargestPickle), references);
        if (Next() is not BigInteger magic || magic != s_legacyMagic)
            throw _file.Corrupt(0, "this is a pickle, but not one of torch's (its magic number is missing)");
        if (Next() is not LegacyVersion)
            throw _file.Corrupt(at, $"the checkpoint's protocol is not {LegacyVersion}, the only one known");
        if (Next() is not PickleDictionary system || system["little_endian"] is false)
            throw _file.Corrupt(at, "the checkpoint was written on a big-endian machine, or does not say where");
        object? root = Next();
        if (Next() is not List<object?> keys)
            throw _file.Corrupt(at, "the list of storages is missing");
        Span<byte> count = stackalloc byte[8];
        var byKey = new Dictionary<string, StorageReference>();
        references.ForEach(r => byKey.TryAdd(r.Key, r));
        foreach (object? key in keys)
        {
            if (key is not string text || !byKey.TryGetValue(text, out var storage))
                throw _file.Corrupt(at, "the list of storages names one that no tensor uses");
            _file.Read(at, count);
            long elements = System.Buffers.Binary.BinaryPrimitives.ReadInt64LittleEndian(count);
            if (elements != storage.Elements)
                throw _file.Corrupt(at, $"storage '{Shortened(storage.Key)}' has {elements} elements here, but {storage.Elements} where it is used");
            at += 8;
            if (storage.Bytes > _file.Length - at)
                throw _file.Corrupt(at, $"storage '{Shortened(storage.Key)}' needs {storage.Bytes} bytes, but only {_file.Length - at} follow; the file is cut off");
            if (!_storages.TryAdd(storage.Key, new TorchStorage(_file, storage.Key, at, storage.Bytes, null)))
                throw _file.Corrupt(at, $"storage '{Shortened(storage.Key)}' is listed twice");
            at += storage.Bytes;
        }
        foreach (var storage in references)
        {
            if (!_storages.TryGetValue(storage.Key, out var data) || data.Length < storage.Bytes)
                throw _file.Corrupt(storage.Where, $"storage '{Shortened(storage.Key)}' is missing or too short");
        }
        return root;
    }

    private void Collect(object? root)
    {
        if (root is not PickleDictionary state)
            throw _file.Corrupt(0, "the checkpoint is no dictionary of tensors");
        Epoch = state["epoch"] as long?;
        foreach (string wrapper in s_wrappers)
        {
            if (state[wrapper] is PickleDictionary inner)
            {
                state = inner;
                break;
            }
        }
        foreach (var (key, value) in state.Items)
        {
            if (key is not string text || value is not TensorReference tensor)
                continue;
            string name = text.Replace("module.", "", StringComparison.Ordinal);
            _tensors[name] = tensor;
            _weights[name] = new WeightInfo(name, tensor.Size, tensor.Storage.Type);
        }
        if (_weights.Count == 0)
            throw _file.Corrupt(0, "the checkpoint holds no tensors under model_state_dict, state_dict, model, or by itself");
    }

    private static string Shortened(string text) => text.Length <= 100 ? text : text[..100] + "…";
}
