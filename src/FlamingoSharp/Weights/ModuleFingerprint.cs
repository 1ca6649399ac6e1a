using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using static TorchSharp.torch;

namespace FlamingoSharp.Weights;

/// <summary>Tells whether two modules hold the same weights.</summary>
internal static class ModuleFingerprint
{
    /// <summary>SHA-256 over what is said of the module, and the names, sizes and bytes of its parameters and buffers.</summary>
    /// <param name="module">The module.</param> <param name="description">What else its results depend on.</param>
    public static string Of(nn.Module module, string description)
    {
        using var scope = NewDisposeScope();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(description));
        byte[] size = new byte[sizeof(long)];
        var tensors = module.named_parameters().Select(p => (p.name, tensor: (Tensor)p.parameter)).Concat(module.named_buffers().Select(b => (b.name, tensor: b.buffer)));
        foreach (var (name, tensor) in tensors.OrderBy(t => t.name, StringComparer.Ordinal))
        {
            BinaryPrimitives.WriteInt64LittleEndian(size, tensor.numel());
            hash.AppendData(Encoding.UTF8.GetBytes(name));
            hash.AppendData(size);
            hash.AppendData(tensor.detach().cpu().contiguous().bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
