using static TorchSharp.torch;

namespace FlamingoSharp.Models;

/// <summary>The head of a language model whose matrix is its token embedding; a linear layer without bias, so its kernel can be replaced too.</summary>
/// <remarks>Shapes: d width, v vocabulary.</remarks>
internal sealed class TiedHead(Embedding embedding) : IDisposable
{
    private ILinearKernel? _kernel;

    /// <summary>Replaces torch's product; the embedding keeps its own table for look-ups.</summary>
    /// <param name="kernel">Owned by the head from now on.</param>
    public void UseKernel(ILinearKernel kernel)
    {
        _kernel?.Dispose();
        _kernel = kernel;
    }

    /// <param name="hidden">[.., d]</param>
    /// <returns>[.., v]</returns>
    public Tensor forward(Tensor hidden) =>
        _kernel is null ? nn.functional.linear(hidden, embedding.Weight) : _kernel.Multiply(hidden, null);

    /// <inheritdoc/>
    public void Dispose() => _kernel?.Dispose();
}
