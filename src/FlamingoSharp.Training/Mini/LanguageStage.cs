using System.Diagnostics;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>The loop of <see cref="MiniTraining"/>: the next batch is laid out while this one is learned from.</summary>
internal sealed class LanguageStage(MiniTraining options, MiniLanguageTask task)
{
    /// <summary>Trains to the end; <paramref name="keep"/> is called with averaged weights in place.</summary>
    public void Run(Action<MiniProgress> report, Action keep, CancellationToken cancellation)
    {
        var optimizers = task.Groups.GroupBy(g => g.LearningRateScale)
            .Select(g => (Scale: g.Key, Optimizer: new AdamW([.. g.Select(p => new AdamWGroup([.. p.Parameters.Select(n => n.Parameter)], p.WeightDecay))]))).ToList();
        using var average = new WeightAverage(task.Groups.SelectMany(g => g.Parameters).Select(p => p.Parameter), 0.998);
        var clock = Stopwatch.StartNew();
        var run = Stopwatch.StartNew();
        double lossSum = 0;
        int count = 0, texts = 0, total = options.Optimization.TotalSteps;
        task.SetTraining(true);
        var next = Task.Run(() => task.Prepare(0), cancellation);
        for (int step = 0; step < total; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var batch = next.GetAwaiter().GetResult();
            int upcoming = step + 1;
            next = Task.Run(() => task.Prepare(upcoming), cancellation);
            double spent = options.TimeBudget is { } budget ? run.Elapsed / budget : 0;
            double rate = options.Optimization.RateAt(Math.Max(step, (int)(spent * total)));
            using (NewDisposeScope())
            {
                var loss = task.Loss(batch);
                loss.backward();
                foreach (var set in task.Groups.GroupBy(g => g.ClipSet))
                    nn.utils.clip_grad_norm_(set.SelectMany(g => g.Parameters).Select(p => p.Parameter).Where(p => p.grad is not null), options.Optimization.ClipNorm);
                foreach (var (scale, optimizer) in optimizers)
                {
                    optimizer.Step(rate * scale);
                    optimizer.ZeroGradients();
                }
                average.Update();
                lossSum += loss.item<float>();
            }
            count++;
            texts += batch.Samples;
            bool last = step + 1 == total || spent >= 1, validate = last || (step + 1) % options.ValidateEvery == 0;
            if (!validate && (step + 1) % 50 != 0)
                continue;
            double? held = null;
            double speed = texts / clock.Elapsed.TotalSeconds;
            if (validate)
            {
                using var averaged = average.Apply();
                using var quiet = no_grad();
                task.SetTraining(false);
                held = task.Validate(cancellation)?.Loss;
                keep();
                task.SetTraining(true);
            }
            report(new MiniProgress(step + 1, lossSum / count, speed, held));
            (lossSum, count, texts) = (0, 0, 0);
            clock.Restart();
            if (last)
                break;
        }
        optimizers.ForEach(o => o.Optimizer.Dispose());
    }
}
