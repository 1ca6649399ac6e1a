using static TorchSharp.torch;

namespace FlamingoSharp.Models;

/// <summary>
/// Runs a layer so that nothing but its input is kept for the gradient: on the way back the layer is run again. Half as much again of
/// computing, for the memory of one layer instead of all.
/// </summary>
/// <remarks>Source: Training Deep Nets with Sublinear Memory Cost (arXiv 1604.06174). Dropout draws the same both times.</remarks>
internal sealed class RecomputedLayer : autograd.SingleTensorFunction<RecomputedLayer>
{
    private const string Body = "body", Seed = "seed";

    /// <inheritdoc/>
    public override string Name => nameof(RecomputedLayer);

    /// <summary>Runs a layer.</summary>
    /// <param name="x">[b, t, d]</param> <param name="media">What its cross-attention hears; null for nothing.</param>
    /// <param name="kept">Whatever else the layer reads, such as masks: kept for the second run, since the scope that they live in ends before it.</param>
    /// <param name="layer">[b, t, d], the media and what is kept -> [b, t, d]; called now, and once more for the gradient.</param>
    public static Tensor Run(Tensor x, MediaKeyValues? media, IReadOnlyList<Tensor?> kept, Func<Tensor, MediaKeyValues?, IReadOnlyList<Tensor?>, Tensor> layer)
    {
        if (!is_grad_enabled())
            return layer(x, media, kept);
        int first = media is null ? 1 : 3;
        int[] places = [.. kept.Select((tensor, i) => tensor is null ? -1 : first + kept.Take(i).Count(k => k is not null))];
        Func<IReadOnlyList<Tensor>, Tensor> body = inputs => layer(
            inputs[0], media is null ? null : new MediaKeyValues(inputs[1], inputs[2]), [.. places.Select(p => p < 0 ? null : inputs[p])]);
        // Drawn from torch's own generator, so that a seeded run repeats itself.
        using var drawn = randint(long.MaxValue, new long[] { 1 }, ScalarType.Int64);
        IEnumerable<Tensor> heard = media is null ? [] : [media.Keys, media.Values];
        return apply([body, drawn.item<long>(), x, .. heard, .. kept.OfType<Tensor>()]);
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        List<Tensor> inputs = [.. vars.OfType<Tensor>()];
        ctx.save_data(Body, vars[0]);
        ctx.save_data(Seed, vars[1]);
        ctx.save_for_backward(inputs);
        manual_seed((long)vars[1]);
        return ((Func<IReadOnlyList<Tensor>, Tensor>)vars[0])(inputs);
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = NewDisposeScope();
        using var learning = enable_grad();
        List<Tensor> inputs = [.. ctx.get_saved_variables().Select(v => v.requires_grad ? v.detach().requires_grad_(true) : v)];
        manual_seed((long)ctx.get_data(Seed));
        var output = ((Func<IReadOnlyList<Tensor>, Tensor>)ctx.get_data(Body))(inputs);
        output.backward([grad_output]);
        return [null!, null!, .. inputs.Select(i => i.requires_grad ? i.grad?.MoveToOuterDisposeScope()! : null!)];
    }
}
