using static TorchSharp.torch;

namespace FlamingoSharp.Models;

/// <summary>The head of a language model whose matrix is its token embedding; a linear layer without bias, so its kernel can be replaced too.</summary>
/// <remarks>Shapes: d width, v vocabulary.</remarks>
internal sealed class TiedHead(Embedding embedding) : IDisposable
{
    private ILinearKernel? _kernel;

    /// <summary>As <see cref="LinearLayer.ComputeType"/>.</summary>
    public ScalarType? ComputeType { get; set; }

    /// <summary>Replaces torch's product; the embedding keeps its own table for look-ups.</summary>
    /// <param name="kernel">Owned by the head from now on.</param>
    public void UseKernel(ILinearKernel kernel)
    {
        _kernel?.Dispose();
        _kernel = kernel;
    }

    /// <param name="hidden">[.., d]</param>
    /// <returns>[.., v]</returns>
    public Tensor forward(Tensor hidden)
    {
        if (_kernel is not null)
            return _kernel.Multiply(hidden, null);
        if (ComputeType is not { } type)
            return nn.functional.linear(hidden, embedding.Weight);
        using var scope = NewDisposeScope();
        return nn.functional.linear(hidden.to_type(type), embedding.Weight.to_type(type)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => _kernel?.Dispose();
}
