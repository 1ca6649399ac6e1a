using FlamingoSharp.TestKit;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Tests.Contrastive;

public sealed class ContrastiveLossTests
{
    // By hand: logits 2·[[1, 0], [0.6, 0.8]]; rows: ln(1+e^-2) = 0.126928, ln(1+e^-0.4) = 0.513015; columns: ln(1+e^-0.8) = 0.371101,
    // ln(1+e^-1.6) = 0.183900; the mean of each pair, then of both.
    [Fact, NoTensorLeak]
    public void Equals_the_mean_of_both_cross_entropies()
    {
        using var scope = NewDisposeScope();
        var sounds = tensor(new float[] { 1, 0, 0.6f, 0.8f }, [2, 2]);
        var texts = eye(2);
        Assert.Equal(0.298736, ContrastiveLoss.Of(sounds, texts, tensor((float)Math.Log(2)), eye(2)).item<float>(), 1e-5);
    }

    [Fact, NoTensorLeak]
    public void A_second_right_text_shares_the_target()
    {
        using var scope = NewDisposeScope();
        var sounds = tensor(new float[] { 1, 0, 1, 0, 0, 1 }, [3, 2]);
        var scale = tensor((float)Math.Log(50));
        double strict = ContrastiveLoss.Of(sounds, sounds, scale, eye(3)).item<float>();
        var fits = tensor(new float[] { 1, 1, 0, 1, 1, 0, 0, 0, 1 }, [3, 3]);
        double fair = ContrastiveLoss.Of(sounds, sounds, scale, fits).item<float>();
        Assert.Equal(2.0 / 3 * Math.Log(2), strict, 1e-4); // of two equal texts, one is taken for wrong
        Assert.Equal(2.0 / 3 * Math.Log(2), fair, 1e-4);   // the least there can be where two are right

        var away = tensor(new float[] { 1, 0, -1, 0, 0, 1 }, [3, 2]); // pulled apart: no loss if the other text is wrong, much if it is right
        Assert.Equal(0, ContrastiveLoss.Of(away, away, scale, eye(3)).item<float>(), 1e-4);
        Assert.True(ContrastiveLoss.Of(away, away, scale, fits).item<float>() > 10);
    }

    [Fact, NoTensorLeak]
    public void Its_gradient_pulls_pairs_together_and_teaches_the_scale()
    {
        using var scope = NewDisposeScope();
        var sounds = tensor(new float[] { 1, 0, 0, 1 }, [2, 2], requires_grad: true);
        var scale = tensor(new float[] { 0 }, requires_grad: true);
        ContrastiveLoss.Of(sounds, eye(2), scale.sum(), eye(2)).backward();
        using var pull = sounds.grad!;
        using var push = scale.grad!;
        Assert.True(pull[0, 0].item<float>() < 0 && pull[0, 1].item<float>() > 0);
        Assert.True(push.item<float>() < 0); // where pairs fit already, a larger scale is better
    }
}
