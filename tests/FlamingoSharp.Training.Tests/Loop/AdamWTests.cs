using FlamingoSharp.TestKit;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Tests.Loop;

public sealed class AdamWTests
{
    [Fact, NoTensorLeak]
    public void Twenty_steps_equal_those_of_torch()
    {
        using var scope = NewDisposeScope();
        Parameter[] ours = Parameters(), theirs = Parameters();
        using var optimizer = new AdamW(new AdamWGroup(ours[..2], 0.1), new AdamWGroup(ours[2..], 0));
        using var torch = optim.AdamW([
            new TorchSharp.Modules.AdamW.ParamGroup(theirs[..2], lr: 1, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.1),
            new TorchSharp.Modules.AdamW.ParamGroup(theirs[2..], lr: 1, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0)]);
        for (int step = 0; step < 20; step++)
        {
            double rate = 1e-2 * (step + 1) / 20;
            foreach (var group in torch.ParamGroups)
                group.LearningRate = rate;
            Loss(ours, step).backward();
            Loss(theirs, step).backward();
            optimizer.Step(rate);
            torch.step();
            optimizer.ZeroGradients();
            torch.zero_grad();
            for (int i = 0; i < ours.Length; i++)
                TensorAssert.Close(theirs[i], ours[i], 1e-6, $"parameter {i} after step {step}");
        }
        Assert.All(optimizer.States, s => Assert.Equal(20, s.Step));
    }

    [Fact, NoTensorLeak]
    public void Goes_on_from_what_was_kept_as_if_it_had_never_stopped()
    {
        using var scope = NewDisposeScope();
        Parameter[] whole = Parameters();
        using var straight = new AdamW(new AdamWGroup(whole, 0.1));
        Steps(straight, whole, 0, 4);

        Parameter[] first = Parameters();
        using var before = new AdamW(new AdamWGroup(first, 0.1));
        Steps(before, first, 0, 2);
        using var after = new AdamW(new AdamWGroup(first, 0.1));
        for (int i = 0; i < first.Length; i++)
            after.Restore(i, before.States[i].Step, before.States[i].ExpAvg!, before.States[i].ExpAvgSq!);
        Steps(after, first, 2, 2);

        for (int i = 0; i < whole.Length; i++)
            TensorAssert.Close(whole[i], first[i], 0, $"parameter {i}");
    }

    [Fact, NoTensorLeak]
    public void A_parameter_without_gradient_rests_and_does_not_age()
    {
        using var scope = NewDisposeScope();
        Parameter[] parameters = Parameters();
        using var optimizer = new AdamW(new AdamWGroup(parameters, 0.1));
        var before = parameters[2].detach().clone();
        (parameters[0] * parameters[0]).sum().backward();
        optimizer.Step(0.1);
        TensorAssert.Close(before, parameters[2], 0);
        Assert.Equal([1, 0, 0], optimizer.States.Select(s => s.Step));
    }

    [Fact, NoTensorLeak]
    public void Memory_of_another_shape_is_refused()
    {
        using var scope = NewDisposeScope();
        using var optimizer = new AdamW(new AdamWGroup(Parameters(), 0));
        var e = Assert.Throws<FlamingoException>(() => optimizer.Restore(1, 1, zeros(3), zeros(3)));
        Assert.Equal("The optimiser's memory of parameter 1 is [3] but the parameter is [5]. The checkpoint belongs to another model.", e.Message);
    }

    private static void Steps(AdamW optimizer, Parameter[] parameters, int first, int count)
    {
        for (int step = first; step < first + count; step++)
        {
            Loss(parameters, step).backward();
            optimizer.Step(1e-2);
            optimizer.ZeroGradients();
        }
    }

    private static Tensor Loss(Parameter[] p, int step)
    {
        var x = Synth.Parse("synth(salt+'x',(7,4),0,1)", $"{step}/")[0];
        return (x.matmul(p[0]).tanh() * p[1]).sum() + (p[2] * p[2]).mean() * (step % 3 + 1);
    }

    private static Parameter[] Parameters() =>
        [.. Synth.Parse("synth(salt+'a',(4,5),0,1) synth(salt+'b',(5,),0,1) synth(salt+'c',(2,3),1,1)", "p/").Select(t => new Parameter(t))];
}
