using FlamingoSharp.Runtime;
using static TorchSharp.torch;

namespace FlamingoSharp.Encoders;

/// <summary>
/// The order in which the tokens of a square grid lie in memory: along a Z-shaped curve, so that every aligned square of 2, 4, 8, …
/// tokens is one contiguous run.
/// </summary>
/// <remarks>
/// Swin's window partition, its inverse and its 2x2 patch merging then need no copy at all: they are views. Only a shifted block
/// moves data, half a window at a time. Within each 2x2 square the order is that in which patch merging concatenates:
/// (even row, even column), (odd, even), (even, odd), (odd, odd).
/// </remarks>
internal static class ZOrder
{
    /// <summary>Row and column of every token, in Z order.</summary>
    /// <param name="side">Side of the grid, a power of two.</param>
    public static (int Row, int Column)[] Positions(int side)
    {
        var positions = new (int, int)[side * side];
        for (int i = 0; i < positions.Length; i++)
        {
            int row = 0, column = 0;
            for (int bit = 0; 1 << bit < side; bit++)
            {
                row |= (i >> (2 * bit) & 1) << bit;
                column |= (i >> (2 * bit + 1) & 1) << bit;
            }
            positions[i] = (row, column);
        }
        return positions;
    }

    /// <summary>For each place in Z order, the row-major index of its token: turns row-major into Z order by index_select.</summary>
    public static long[] FromRowMajor(int side) => [.. Positions(side).Select(p => (long)p.Row * side + p.Column)];

    /// <summary>For each row-major place, the Z-order index of its token: turns Z order into row-major by index_select.</summary>
    public static long[] ToRowMajor(int side) => Inverse(FromRowMajor(side));

    /// <summary>Turns a grid of units by one unit up and one to the left, in Z order, by index_select.</summary>
    public static long[] Roll(int side)
    {
        long[] places = ToRowMajor(side);
        return [.. Positions(side).Select(p => places[(p.Row + 1) % side * side + (p.Column + 1) % side])];
    }

    /// <summary>The permutation that undoes another.</summary>
    public static long[] Inverse(long[] permutation)
    {
        long[] inverse = new long[permutation.Length];
        for (int i = 0; i < permutation.Length; i++)
            inverse[permutation[i]] = i;
        return inverse;
    }

    /// <summary>Tokens [n, side², c] in Z order, laid out row by row.</summary>
    public static Tensor RowMajor(Tensor tokens)
    {
        int side = (int)Math.Sqrt(tokens.shape[1]);
        return tokens.index_select(1, tensor(ToRowMajor(side), device: tokens.device));
    }
}

/// <summary>The constants of windowed attention over one grid; blocks of a stage share them.</summary>
/// <remarks>Shapes: g windows in the grid, w² tokens in a window.</remarks>
internal sealed class WindowGrid : IDisposable
{
    // Swin hides by -100, a weight of 4e-44. No float32 sum shows it, but it is denormal, and makes the products 30 times slower.
    private const float Hidden = float.NegativeInfinity;

    /// <summary>Prepares a grid of <paramref name="side"/> tokens a side; the window shrinks to a smaller grid.</summary>
    public WindowGrid(int side, int window)
    {
        Side = side;
        Window = Math.Min(side, window);
        Shift = side > window ? window / 2 : 0;
        RelativePosition = new DeviceConstant(() => tensor(RelativePositions()));
        if (Shift > 0)
        {
            Mask = new DeviceConstant(() => tensor(ShiftMask(), Windows, 1, Window * Window, Window * Window));
            Rolled = new DeviceConstant(() => tensor(ZOrder.Roll(side / Shift)));
            Unrolled = new DeviceConstant(() => tensor(ZOrder.Inverse(ZOrder.Roll(side / Shift))));
        }
    }

    /// <summary>Side of the grid, in tokens.</summary>
    public int Side { get; }

    /// <summary>Side of a window, in tokens.</summary>
    public int Window { get; }

    /// <summary>By how many tokens odd blocks shift their windows; 0 when one window covers the grid.</summary>
    public int Shift { get; }

    /// <summary>Windows in the grid.</summary>
    public int Windows => Side / Window * (Side / Window);

    /// <summary>For each pair of tokens of a window, the row of the bias table; int64 [w²·w²].</summary>
    public DeviceConstant RelativePosition { get; }

    /// <summary>Added to the scores of shifted blocks: 0 or -infinity, float32 [g, 1, w², w²].</summary>
    public DeviceConstant? Mask { get; }

    private DeviceConstant? Rolled { get; }

    private DeviceConstant? Unrolled { get; }

    /// <summary>Rolls a grid up and left by the shift: [n, side², c] in Z order, before and after.</summary>
    public Tensor Roll(Tensor tokens) => Permute(tokens, Rolled!);

    /// <summary>Undoes <see cref="Roll"/>.</summary>
    public Tensor Unroll(Tensor tokens) => Permute(tokens, Unrolled!);

    private Tensor Permute(Tensor tokens, DeviceConstant order)
    {
        using var scope = NewDisposeScope();
        return tokens.view(tokens.shape[0], -1, Shift * Shift * tokens.shape[2])    // squares of shift x shift tokens
            .index_select(1, order.On(tokens.device)).view(tokens.shape).MoveToOuterDisposeScope();
    }

    private long[] RelativePositions()
    {
        var tokens = ZOrder.Positions(Window);
        int span = 2 * Window - 1;
        return [.. tokens.SelectMany(q => tokens.Select(k =>
            (long)(q.Row - k.Row + Window - 1) * span + (q.Column - k.Column + Window - 1)))];
    }

    // After rolling, the last windows hold tokens from opposite edges of the image, which must not see each other.
    private float[] ShiftMask()
    {
        int Band(int i) => i < Side - Window ? 0 : i < Side - Shift ? 1 : 2;
        int[] regions = [.. ZOrder.Positions(Side).Select(p => Band(p.Row) * 3 + Band(p.Column))];
        return [.. regions.Chunk(Window * Window).SelectMany(w => w.SelectMany(q => w.Select(k => q == k ? 0 : Hidden)))];
    }

    /// <summary>Frees the constants.</summary>
    public void Dispose()
    {
        RelativePosition.Dispose();
        Mask?.Dispose();
        Rolled?.Dispose();
        Unrolled?.Dispose();
    }
}
