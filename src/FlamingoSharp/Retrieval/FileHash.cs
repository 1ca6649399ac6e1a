using System.Security.Cryptography;

namespace FlamingoSharp.Retrieval;

/// <summary>The content of a file as a name.</summary>
public static class FileHash
{
    /// <summary>SHA-256 of a file, hexadecimal.</summary>
    /// <exception cref="FlamingoException">The file is not there or cannot be read.</exception>
    public static async Task<string> OfAsync(string path, CancellationToken cancellation = default)
    {
        try
        {
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
            await using (file.ConfigureAwait(false))
                return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation).ConfigureAwait(false));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}' does not exist; check the path.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}' cannot be read: {e.Message}", e);
        }
    }
}
