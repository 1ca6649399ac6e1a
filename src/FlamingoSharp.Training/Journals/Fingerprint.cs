using System.Security.Cryptography;
using System.Text;

namespace FlamingoSharp.Training.Journals;

/// <summary>Tells whether a file is the one of an earlier run.</summary>
internal static class Fingerprint
{
    private const int Block = 1 << 20;

    // Of weights of several gigabytes, evenly spaced blocks are enough: training changes all of them.
    private const int Samples = 64;

    private static readonly string[] s_parts = [".json", ".txt", ".safetensors", ".bin", ".pt", ".pth"];

    /// <summary>The SHA-256 of all of a file.</summary>
    public static string OfFile(string path, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
        byte[] block = new byte[Block];
        for (int got; (got = file.Read(block)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            hash.AppendData(block, 0, got);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The SHA-256 of a text.</summary>
    public static string OfText(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>Stands for the files that make up a model: their names, sizes, and (of large ones a part of) their contents.</summary>
    public static string OfModel(string folder, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] block = new byte[Block / 4];
        foreach (string path in Directory.EnumerateFiles(folder).Where(f => s_parts.Contains(Path.GetExtension(f))).Order(StringComparer.Ordinal))
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            hash.AppendData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{Path.GetFileName(path)}\n{file.Length}\n")));
            long step = Math.Max(block.Length, file.Length / Samples);
            for (long at = 0; at < file.Length; at += step)
            {
                cancellation.ThrowIfCancellationRequested();
                file.Position = at;
                hash.AppendData(block, 0, file.ReadAtLeast(block, block.Length, throwOnEndOfStream: false));
            }
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
