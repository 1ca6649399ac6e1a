using FlamingoSharp.Encoders;
using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Encoders;

/// <summary>The fusion of crops, which runs in training alone. Expected: the same computed on images [n, c, h, w], crop by crop, with ordinary convolutions.</summary>
public sealed class CropFusionTests
{
    private static readonly HtsatOptions s_options = TinyModel.Config2.Encoder;

    [Fact, NoTensorLeak]
    public void One_window_of_a_batch_is_fused_with_copies_of_itself()
    {
        using var scope = NewDisposeScope();
        using var patches = Patches();
        using var quiet = no_grad();
        var chunks = randn(1, s_options.Chunks, s_options.ImageSize, s_options.Mel.Mels); // [n, k, l, m]
        var expected = OnImages(patches, chunks);
        patches.train();
        TensorAssert.Close(expected, ZOrder.RowMajor(patches.forward(chunks)), 1e-4, "fused");

        patches.eval();
        var three = cat([chunks, randn_like(chunks), randn_like(chunks)], 0);
        var plain = patches.forward(three);
        patches.train();
        var trained = patches.forward(three);
        bool[] same = [.. Enumerable.Range(0, 3).Select(i => plain[i].allclose(trained[i], rtol: 1e-5, atol: 1e-5))];
        Assert.Equal(2, same.Count(s => s));
    }

    [Fact, NoTensorLeak]
    public void Its_weights_learn_and_an_encoder_without_them_is_as_in_use()
    {
        using var scope = NewDisposeScope();
        using var patches = Patches();
        patches.train();
        patches.forward(randn(2, s_options.Chunks, s_options.ImageSize, s_options.Mel.Mels)).square().mul(randn(2, 64, s_options.EmbedDim)).sum().backward();
        foreach (string name in new[] { "mel_conv2d.weight", "fusion_model.local_att.0.weight", "fusion_model.local_att.4.weight", "fusion_model.global_att.5.bias" })
            Assert.True(Named(patches, name).grad!.abs().sum().item<float>() > 0, name);

        using var plain = new PatchEmbedding(s_options with { Fusion = false });
        ParameterInit.Initialize(plain, seed: 1);
        Assert.Equal(4, plain.parameters().Count());
        using var quiet = no_grad();
        var chunks = randn(2, s_options.Chunks, s_options.ImageSize, s_options.Mel.Mels);
        plain.train();
        var trained = plain.forward(chunks);
        plain.eval();
        TensorAssert.Close(plain.forward(chunks), trained, 0, "without fusion");
    }

    private static PatchEmbedding Patches()
    {
        var patches = new PatchEmbedding(s_options);
        ParameterInit.Initialize(patches, seed: 3);
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        manual_seed(5);
        foreach (var parameter in patches.parameters().Where(p => p.dim() == 1))
            parameter.add_(randn_like(parameter).mul_(tensor(0.3f))); // no norm is the identity, no bias 0
        return patches;
    }

    private static Tensor Named(PatchEmbedding patches, string name) => patches.named_parameters().Single(p => p.name == name).parameter;

    private static Tensor OnImages(PatchEmbedding patches, Tensor chunks)
    {
        Tensor Weight(string name) => Named(patches, name);
        Tensor Norm(Tensor x, string name) => nn.functional.batch_norm(x, zeros(x.shape[1]), ones(x.shape[1]), Weight(name + ".weight"), Weight(name + ".bias"), training: true);
        Tensor Attention(Tensor x, string name, int first)
        {
            x = nn.functional.conv2d(x, Weight($"{name}.{first}.weight"), Weight($"{name}.{first}.bias"));
            x = nn.functional.relu(Norm(x, $"{name}.{first + 1}"));
            x = nn.functional.conv2d(x, Weight($"{name}.{first + 3}.weight"), Weight($"{name}.{first + 3}.bias"));
            return Norm(x, $"{name}.{first + 4}");
        }
        int p = s_options.PatchSize, side = s_options.ImageSize, grid = side / p;
        var image = chunks.transpose(2, 3).reshape(1, 1, side, side);
        var global = nn.functional.conv2d(image, Weight("proj.weight"), Weight("proj.bias"), strides: [p, p]);
        var local = nn.functional.conv2d(image.expand(1, 3, side, side).reshape(3, 1, side, side), Weight("mel_conv2d.weight"), Weight("mel_conv2d.bias"), strides: [p, 3 * p]);
        local = local.view(1, 3, local.shape[1], local.shape[2], local.shape[3]).permute(0, 2, 3, 1, 4).flatten(3);
        local = cat([local, zeros(1, local.shape[1], grid, grid - local.shape[3])], -1);
        var both = global + local;
        both = cat([both, both], 0);
        var weights = sigmoid(Attention(both, "fusion_model.local_att", 0) + Attention(both.mean([2, 3], keepdim: true), "fusion_model.global_att", 1))[0].unsqueeze(0);
        var fused = global * weights + local * (ones_like(weights) - weights);
        fused = (fused + fused).flatten(2).transpose(1, 2);
        return nn.functional.layer_norm(fused, [s_options.EmbedDim], Weight("norm.weight"), Weight("norm.bias"), 1e-5);
    }
}
