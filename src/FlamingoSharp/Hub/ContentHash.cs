using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace FlamingoSharp.Hub;

/// <summary>The hash that a hub names a file's content by: the SHA-256 of a large file, git's SHA-1 of a small one. It is also its name in the cache.</summary>
/// <param name="Value">64 or 40 hexadecimal digits.</param>
internal sealed partial record ContentHash(string Value)
{
    private const int Block = 1 << 20;

    /// <summary>What messages call it.</summary>
    public string Kind => Value.Length == 64 ? "SHA-256" : "git SHA-1";

    /// <summary>Reads an ETag header; null where it is no hash.</summary>
    public static ContentHash? FromETag(string? tag)
    {
        if (tag is null)
            return null;
        string value = (tag.StartsWith("W/", StringComparison.Ordinal) ? tag[2..] : tag).Trim('"');
        return Hash().IsMatch(value) ? new ContentHash(value) : null;
    }

    /// <summary>The hash of the same kind of what a file really holds.</summary>
    public async Task<ContentHash> OfFileAsync(string path, CancellationToken cancellation)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan | FileOptions.Asynchronous);
        using var hash = IncrementalHash.CreateHash(Value.Length == 64 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1);
        if (Value.Length == 40)
            hash.AppendData(Encoding.ASCII.GetBytes($"blob {file.Length}\0"));
        byte[] block = new byte[Block];
        for (int got; (got = await file.ReadAsync(block, cancellation).ConfigureAwait(false)) > 0;)
            hash.AppendData(block, 0, got);
        return new ContentHash(Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    [GeneratedRegex(@"^([0-9a-f]{40}|[0-9a-f]{64})\z")]
    private static partial Regex Hash();
}
