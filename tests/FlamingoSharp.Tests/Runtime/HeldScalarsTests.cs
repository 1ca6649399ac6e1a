using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Runtime;

public sealed class HeldScalarsTests
{
    [Fact, NoTensorLeak]
    public void Results_are_the_same_while_the_collector_runs_all_the_time()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = TinyModel.Config.Build(soundToken: 5);
        ParameterInit.Initialize(model, seed: 1);
        model.eval();
        var windows = Synth.Parse("synth(salt+'windows',(2,16000),0,1)", "held/")[0];
        var ids = tensor(new long[] { 5, 17, 33, 2, 9 }, [1, 5]);
        var valid = ones(1, 2, ScalarType.Bool);
        var expected = Run();
        bool done = false;
        var collector = new Thread(() =>
        {
            while (!Volatile.Read(ref done))
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
                Thread.Sleep(1);
            }
        });
        collector.Start();
        try
        {
            var clock = System.Diagnostics.Stopwatch.StartNew();
            for (int round = 0; round < 200 && clock.Elapsed < TimeSpan.FromSeconds(6); round++)
            {
                using var inner = NewDisposeScope();
                TensorAssert.Close(expected, Run(), 0, $"round {round}");
            }
        }
        finally
        {
            Volatile.Write(ref done, true);
            collector.Join();
        }

        Tensor Run()
        {
            using var inner = NewDisposeScope();
            using var media = model.Hear(model.Encode(windows).unsqueeze(0), valid);
            return model.Forward(ids, null, media).MoveToOuterDisposeScope();
        }
    }
}
