using System.Buffers.Binary;
using System.Runtime.InteropServices;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Training.Stages;

/// <summary>What is kept of a sound: numbers with a shape.</summary>
/// <param name="Shape">E.g. [windows, vectors, width].</param> <param name="Values">Row-major.</param>
internal sealed record SoundFeatures(long[] Shape, float[] Values)
{
    /// <summary>Windows.</summary>
    public int Windows => (int)Shape[0];

    /// <summary>Numbers of a window.</summary>
    public int WindowSize => Values.Length / Windows;
}

/// <summary>
/// Outputs that are dear to compute, as files of a folder, by a key that says everything they depend on. Several processes may share the
/// folder: a file appears whole or not at all, and one that is damaged is computed anew.
/// </summary>
/// <remarks>A file: rank, sizes, values (little-endian), and their CRC-32. The least recently used go when there is too much.</remarks>
internal sealed class FeatureCache
{
    private const string Suffix = ".features";
    private const double KeptShare = 0.9; // of the limit, once it is passed

    private readonly string _folder;
    private readonly long _limit;
    private readonly Lock _counting = new();
    private long _bytes;

    /// <param name="folder">Made if it is not there.</param> <param name="limitBytes">Size of all files together.</param>
    /// <exception cref="FlamingoException">The folder cannot be made.</exception>
    public FeatureCache(string folder, long limitBytes)
    {
        (_folder, _limit) = (folder, limitBytes);
        try
        {
            Directory.CreateDirectory(folder);
            _bytes = Files().Sum(f => f.Length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"The cache of sound features '{folder}' cannot be used: {e.Message} Name another folder with data_config.feature_cache, or 'none'.", e);
        }
    }

    /// <summary>Gives what is kept under a key, or computes and keeps it.</summary>
    /// <param name="key">A file name: letters and digits.</param> <param name="compute">Called if nothing good is there.</param>
    public SoundFeatures Get(string key, Func<SoundFeatures> compute)
    {
        string path = Path.Combine(_folder, key[..2], key + Suffix);
        if (Read(path) is { } kept)
            return kept;
        var computed = compute();
        Keep(path, computed);
        return computed;
    }

    private static SoundFeatures? Read(string path)
    {
        try
        {
            if (!File.Exists(path))
                return null;
            byte[] bytes = File.ReadAllBytes(path);
            var features = Decode(bytes);
            if (features is not null)
                File.SetLastWriteTimeUtc(path, DateTime.UtcNow); // used: it goes last
            return features;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // another process has just removed it
        }
    }

    // A cache that cannot be written, as on a full disk, costs time and nothing else.
    private void Keep(string path, SoundFeatures features)
    {
        byte[] bytes = Encode(features);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            AtomicFile.Write(path, file => file.Write(bytes));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return;
        }
        lock (_counting)
        {
            _bytes += bytes.Length;
            if (_bytes > _limit)
                MakeRoom();
        }
    }

    private void MakeRoom()
    {
        var files = Files().OrderByDescending(f => f.LastWriteTimeUtc).ToList();
        long kept = 0;
        foreach (var file in files)
        {
            kept += file.Length;
            if (kept <= KeptShare * _limit)
                continue;
            kept -= file.Length;
            try
            {
                file.Delete();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Another process is at it.
            }
        }
        _bytes = kept;
    }

    private List<FileInfo> Files() => [.. new DirectoryInfo(_folder).EnumerateFiles("*" + Suffix, SearchOption.AllDirectories)];

    private static byte[] Encode(SoundFeatures features)
    {
        int header = 4 + 8 * features.Shape.Length;
        byte[] bytes = new byte[header + 4 * features.Values.Length + 4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, features.Shape.Length);
        for (int i = 0; i < features.Shape.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(4 + 8 * i), features.Shape[i]);
        MemoryMarshal.AsBytes<float>(features.Values).CopyTo(bytes.AsSpan(header));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(bytes.Length - 4), Checksum(bytes.AsSpan(0, bytes.Length - 4)));
        return bytes;
    }

    private static SoundFeatures? Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 8 || BinaryPrimitives.ReadInt32LittleEndian(bytes) is var rank && rank is < 1 or > 4 || bytes.Length < 8 + 8 * rank
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[^4..]) != Checksum(bytes[..^4]))
        {
            return null;
        }
        long[] shape = new long[rank];
        for (int i = 0; i < rank; i++)
            shape[i] = BinaryPrimitives.ReadInt64LittleEndian(bytes[(4 + 8 * i)..]);
        float[] values = MemoryMarshal.Cast<byte, float>(bytes[(4 + 8 * rank)..^4]).ToArray();
        return shape.Aggregate(1L, (a, b) => a * b) == values.Length ? new SoundFeatures(shape, values) : null;
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var sum = new Crc32();
        sum.Append(bytes);
        return sum.Value;
    }
}
