using static TorchSharp.torch;

namespace FlamingoSharp.Models;

/// <summary>The sounds of a batch of prompts, encoded, related to each other and projected for every cross-attention block.</summary>
/// <remarks>Shapes: b batch (1 serves every row of a larger text batch), l audio vectors, c audio width.</remarks>
internal sealed class Media : IDisposable
{
    internal Media(Tensor vectors, Tensor valid, IReadOnlyList<MediaKeyValues?> projected) =>
        (Vectors, Valid, Projected) = (vectors, valid, projected);

    /// <summary>[b, l, c], output of the audio transformer.</summary>
    public Tensor Vectors { get; }

    /// <summary>[b, l], false for vectors of padded windows.</summary>
    public Tensor Valid { get; }

    /// <summary>Keys and values for each layer; null where a layer has no cross-attention.</summary>
    public IReadOnlyList<MediaKeyValues?> Projected { get; }

    /// <summary>Lets go of the current dispose scope, for media that outlive it.</summary>
    public Media Detach()
    {
        foreach (var tensor in Tensors())
            tensor.DetachFromDisposeScope();
        return this;
    }

    /// <summary>Hands the tensors to the scope outside the current one.</summary>
    public Media MoveToOuterDisposeScope()
    {
        foreach (var tensor in Tensors())
            tensor.MoveToOuterDisposeScope();
        return this;
    }

    /// <summary>Copies of the rows named, in that order; one set that serves every row is shared as it is.</summary>
    public Media Select(Tensor rows)
    {
        Tensor Pick(Tensor x) => x.shape[0] == 1 ? x.alias() : x.index_select(0, rows);
        return new Media(Pick(Vectors), Pick(Valid),
            [.. Projected.Select(p => p is null ? null : new MediaKeyValues(Pick(p.Keys), Pick(p.Values)))]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in Tensors())
            tensor.Dispose();
    }

    private IEnumerable<Tensor> Tensors() =>
        Projected.Where(p => p is not null).SelectMany(p => new[] { p!.Keys, p.Values }).Prepend(Valid).Prepend(Vectors);
}
