using FlamingoSharp.Encoders;
using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Encoders;

public class WindowAttentionTests
{
    private const int Heads = 2;
    private const int Width = 8;

    // The expected values are Swin's own steps on a row-major grid: roll, cut windows, attend with a mask of -100, put back, roll back.
    [Theory, NoTensorLeak]
    [InlineData(8, 4, false, false)]
    [InlineData(8, 4, true, false)]
    [InlineData(8, 4, true, true)]  // with gradients the products are written out
    [InlineData(16, 8, true, false)]
    [InlineData(4, 8, true, false)] // a grid smaller than the window: one window, no shift
    [InlineData(1, 8, false, true)]
    public void Windows_in_Z_order_attend_as_in_the_paper(int side, int window, bool shifted, bool gradients)
    {
        using var scope = NewDisposeScope();
        using var mode = set_grad_enabled(gradients);
        using var grid = new WindowGrid(side, window);
        shifted &= grid.Shift > 0;
        using var attention = new WindowAttention(Width, Heads, grid, shifted);
        ParameterInit.Initialize(attention, seed: 1);
        manual_seed(2);
        using (no_grad())
        {
            foreach (var parameter in attention.parameters())
                parameter.normal_(0, 0.7);
        }
        var rows = randn(2, side * side, Width);

        var tokens = rows.index_select(1, tensor(ZOrder.FromRowMajor(side)));
        tokens = shifted ? grid.Unroll(attention.forward(grid.Roll(tokens))) : attention.forward(tokens);

        TensorAssert.Close(Swin(rows.view(2, side, side, Width), attention, grid.Window, shifted ? grid.Shift : 0), ZOrder.RowMajor(tokens), 2e-5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(16)]
    public void Every_aligned_square_is_one_run_and_no_token_is_lost(int side)
    {
        var positions = ZOrder.Positions(side);
        Assert.Equal(side * side, positions.Distinct().Count());
        for (int square = 1; square <= side; square *= 2)
        {
            Assert.All(positions.Chunk(square * square), run =>
                Assert.Single(run.Select(p => (p.Row / square, p.Column / square)).Distinct()));
        }
        Assert.Equal([(0, 0), (1, 0), (0, 1), (1, 1)], ZOrder.Positions(2));
    }

    private static Tensor Swin(Tensor x, WindowAttention attention, int window, int shift)
    {
        long n = x.shape[0], side = x.shape[1], size = window * window;
        x = x.roll([-shift, -shift], [1, 2]);
        var windows = Cut(x, window);                                                                       // [n, g, w², c]
        var qkv = nn.functional.linear(windows, attention.get_parameter("qkv.weight")!, attention.get_parameter("qkv.bias")!)
            .view(n, -1, size, 3, Heads, Width / Heads).permute(3, 0, 1, 4, 2, 5);                          // [3, n, g, h, w², e]
        var scores = (qkv[0] * Math.Sqrt(1.0 / (Width / Heads))).matmul(qkv[1].transpose(-2, -1));          // [n, g, h, w², w²]
        var table = attention.get_parameter("relative_position_bias_table")!;
        var bias = zeros(Heads, size, size);
        for (int q = 0; q < size; q++)
        {
            for (int k = 0; k < size; k++)
            {
                int row = (q / window - k / window + window - 1) * (2 * window - 1) + q % window - k % window + window - 1;
                bias[TensorIndex.Colon, q, k] = table[row].detach();
            }
        }
        if (shift > 0)
        {
            var region = zeros(1, side, side, 1);
            foreach (var ((from, to), band) in new[] { ((0L, side - window), 0), ((side - window, side - shift), 1), ((side - shift, side), 2) })
            {
                region.narrow(1, from, to - from).add_(3 * band);
                region.narrow(2, from, to - from).add_(band);
            }
            var regions = Cut(region, window).squeeze(-1);                                                  // [1, g, w²]
            scores += regions.unsqueeze(-1).ne(regions.unsqueeze(-2)).to_type(ScalarType.Float32).unsqueeze(2) * -100;
        }
        var mixed = (scores + bias).softmax(-1).matmul(qkv[2]).transpose(2, 3).reshape(n, -1, size, Width);
        var output = nn.functional.linear(mixed, attention.get_parameter("proj.weight")!, attention.get_parameter("proj.bias")!);
        long perSide = side / window;
        return output.view(n, perSide, perSide, window, window, Width).permute(0, 1, 3, 2, 4, 5).reshape(n, side, side, Width)
            .roll([shift, shift], [1, 2]).reshape(n, side * side, Width);
    }

    private static Tensor Cut(Tensor x, int window)
    {
        long n = x.shape[0], perSide = x.shape[1] / window;
        return x.view(n, perSide, window, perSide, window, -1).permute(0, 1, 3, 2, 4, 5).reshape(n, perSide * perSide, window * window, -1);
    }
}
