using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using TorchSharp;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Encoders;

public class LayerTests
{
    [Fact, NoTensorLeak]
    public void A_new_layer_knows_its_shapes_but_takes_no_memory()
    {
        using var scope = NewDisposeScope();
        using var layer = new LinearLayer(3, 5);

        Assert.Equal([5, 3], layer.get_parameter("weight")!.shape);
        Assert.Equal([5], layer.get_parameter("bias")!.shape);
        Assert.All(layer.parameters(), p => Assert.Equal(DeviceType.META, p.device_type));
    }

    [Fact, NoTensorLeak]
    public void Parameters_survive_the_scope_that_made_their_module()
    {
        LinearLayer layer;
        using (NewDisposeScope())
        {
            layer = new LinearLayer(2, 2);
            ParameterInit.Initialize(layer, seed: 1);
        }
        using var scope = NewDisposeScope();
        Assert.False(layer.forward(ones(1, 2)).IsInvalid);
        layer.Dispose();
    }

    [Fact, NoTensorLeak]
    public void First_values_are_those_of_the_seed_and_require_gradients()
    {
        using var scope = NewDisposeScope();
        using var one = new LinearLayer(64, 64);
        using var same = new LinearLayer(64, 64);
        using var other = new LinearLayer(64, 64);
        ParameterInit.Initialize(one, seed: 7);
        ParameterInit.Initialize(same, seed: 7);
        ParameterInit.Initialize(other, seed: 8);

        Assert.True(one.Weight.equal(same.Weight).all().ToBoolean());
        Assert.False(one.Weight.equal(other.Weight).all().ToBoolean());
        double deviation = 1 / Math.Sqrt(3 * 64); // of a layer with 64 inputs; cut at two deviations
        Assert.InRange(one.Weight.abs().max().ToDouble(), deviation, 2 * deviation);
        Assert.Equal(0, one.Bias!.abs().max().ToDouble());
        Assert.All(one.parameters(), p => Assert.True(p.requires_grad));
        Assert.Same(one.Weight, one.get_parameter("weight"));
    }

    [Fact, NoTensorLeak]
    public void A_fresh_norm_is_the_identity_on_normalised_input()
    {
        using var scope = NewDisposeScope();
        using var norm = new LayerNorm(2);
        ParameterInit.Initialize(norm, seed: 0);

        TensorAssert.Close(tensor(new float[] { -1, 1 }), norm.forward(tensor(new float[] { -5, 5 })), 1e-5);
    }

    [Fact, NoTensorLeak]
    public void A_batch_norm_learns_statistics_while_training_and_uses_them_afterwards()
    {
        using var scope = NewDisposeScope();
        using var norm = new BatchNorm(1, momentum: 1);
        ParameterInit.Initialize(norm, seed: 0);
        var batch = tensor(new float[] { 1, 3 }, 2, 1);

        norm.train();
        TensorAssert.Close(tensor(new float[] { -1, 1 }, 2, 1), norm.forward(batch), 1e-5);
        norm.eval();
        // Torch keeps the unbiased variance: (3 - 2)^2 + (1 - 2)^2 = 2.
        TensorAssert.Close(tensor(new float[] { 1 / MathF.Sqrt(2) }, 1, 1), norm.forward(tensor(new float[] { 3 }, 1, 1)), 1e-5);
    }

    [Fact, NoTensorLeak]
    public void Another_kernel_takes_the_place_of_the_product_and_of_the_weight()
    {
        using var scope = NewDisposeScope();
        using var layer = new LinearLayer(2, 3);
        ParameterInit.Initialize(layer, seed: 1);
        layer.UseKernel(new ConstantKernel());

        TensorAssert.Close(full(4, 3, 9.0), layer.forward(ones(4, 2)), 0);
        Assert.Equal(DeviceType.META, layer.Weight.device_type);
        Assert.Equal(DeviceType.META, layer.get_parameter("weight")!.device_type);
    }

    [Fact, NoTensorLeak]
    public void An_embedding_gives_the_row_of_each_id()
    {
        using var scope = NewDisposeScope();
        using var table = new Embedding(4, 3);
        ParameterInit.Initialize(table, seed: 1);

        TensorAssert.Close(table.Weight[2], table.forward(tensor(new long[] { 2 }))[0], 0);
    }

    private sealed class ConstantKernel : ILinearKernel
    {
        public Tensor Multiply(Tensor input, Tensor? bias) => full(input.shape[0], bias!.shape[0], 9.0);

        public void Dispose()
        {
        }
    }
}
