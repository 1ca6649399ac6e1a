using TorchSharp.Utils;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace FlamingoSharp.Models;

/// <summary>A row of a table for every id. A language model's head may share the table: see <see cref="Weight"/>.</summary>
internal sealed class Embedding : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;

    /// <summary>Creates a table of <paramref name="rows"/> vectors of <paramref name="width"/> numbers, without data yet.</summary>
    public Embedding(long rows, long width)
        : base(nameof(Embedding))
    {
        _weight = UnfilledParameter.Of(rows, width);
        RegisterComponents();
    }

    /// <summary>[rows, width]</summary>
    public Parameter Weight => _weight;

    /// <param name="ids">int64 [...]</param>
    /// <returns>[..., width]</returns>
    public override Tensor forward(Tensor ids)
    {
        using var scope = NewDisposeScope();
        return _weight.index_select(0, ids.reshape(-1)).reshape([.. ids.shape, _weight.shape[1]]).MoveToOuterDisposeScope();
    }
}
