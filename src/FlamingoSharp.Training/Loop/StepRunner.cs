using System.Globalization;
using FlamingoSharp.Training.Sounds;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>What a step did, over all processes; the same in each.</summary>
/// <param name="Loss">Mean over the micro-batches; NaN if all were left out.</param> <param name="GradientNorm">Before the last clipping.</param>
/// <param name="Samples">Learned from.</param> <param name="Skipped">Micro-batches left out.</param>
/// <param name="Applied">False if the parameters were not moved.</param> <param name="Cancelled">True if a process was asked to stop.</param>
/// <param name="Elapsed">Process 0's clock, in seconds.</param>
internal sealed record StepTotals(double Loss, double GradientNorm, int Samples, int Skipped, bool Applied, bool Cancelled, double Elapsed);

/// <summary>Learns from the micro-batches of one optimiser step; those it cannot learn from stop the run or are left out.</summary>
internal sealed class StepRunner(
    ITrainingTask task, OptimizerStep optimizer, BatchQueue queue, TrainingRunOptions options, IGradientExchange exchange, Action<string> warn)
{
    private int _faultsInARow;

    /// <summary>Runs one step. All processes finish it together, even if one of them has to stop.</summary>
    /// <param name="rate">The learning rate.</param> <param name="elapsed">This process's clock, in seconds.</param>
    /// <param name="cancellation">Asked once, at the step's end.</param>
    /// <exception cref="FlamingoException">A micro-batch cannot be learned from, and the policy is to stop.</exception>
    public StepTotals Run(double rate, double elapsed, CancellationToken cancellation)
    {
        double lossSum = 0, norm = 0;
        int counted = 0, samples = 0, skipped = 0;
        FlamingoException? stop = null;
        for (int i = 0; i < options.Optimization.Accumulation; i++)
        {
            using var scope = NewDisposeScope();
            var prepared = queue.Take(CancellationToken.None);
            using var batch = prepared.Batch;
            var (loss, value, fault) = stop is null ? LossOf(prepared) : (null, 0, null);
            if (loss is not null)
            {
                (lossSum, counted, samples, _faultsInARow) = (lossSum + value, counted + 1, samples + batch!.Samples, 0);
            }
            else if (fault is not null)
            {
                skipped++;
                stop = Judge(fault, fault.Kind == FlamingoErrorKind.Input ? options.Unreadable : options.NonFinite);
            }
            norm = optimizer.Add(loss, last: i + 1 == options.Optimization.Accumulation, task.MaskGradients);
        }

        double[] sums = [lossSum, counted, samples, skipped, stop is null ? 0 : 1, cancellation.IsCancellationRequested ? 1 : 0, exchange.Rank == 0 ? elapsed : 0];
        exchange.Sum(sums);
        var totals = new StepTotals(sums[0] / sums[1], norm, (int)sums[2], (int)sums[3], true, sums[5] > 0, sums[6]);
        if (sums[4] == 0 && sums[1] > 0 && !double.IsFinite(norm))
        {
            stop = Judge(NotFinite("The gradient", norm, "a step"), options.NonFinite);
            totals = totals with { Loss = double.NaN, Samples = 0, Skipped = totals.Skipped + (int)sums[1] };
        }
        if (stop is not null || sums[4] > 0)
        {
            optimizer.Drop();
            throw stop ?? new FlamingoException(FlamingoErrorKind.Input, "Another process of this run had to stop; its own message says why.");
        }
        if (double.IsNaN(totals.Loss))
        {
            optimizer.Drop();
            return totals with { Applied = false };
        }
        optimizer.Apply(rate);
        return totals;
    }

    /// <summary>What a micro-batch draws at random depends on the run's seed and its index alone.</summary>
    private void Seed(long index)
    {
        long seed = (long)(SplitMix.For("loss", (ulong)(options.Seed ^ (index << 20))).Next() >> 1);
        manual_seed(seed);
        if (cuda.is_available())
            cuda.manual_seed_all(seed);
    }

    private (Tensor? Loss, double Value, FlamingoException? Fault) LossOf(PreparedBatch prepared)
    {
        if (prepared.Batch is null)
            return (null, 0, prepared.Fault);
        Seed(prepared.Index);
        var loss = task.Loss(prepared.Batch);
        double value = loss.detach().to_type(ScalarType.Float64).item<double>();
        return double.IsFinite(value)
            ? (loss, value, null)
            : (null, 0, NotFinite("The loss", value, string.Create(CultureInfo.InvariantCulture, $"micro-batch {prepared.Index}")));
    }

    private static FlamingoException NotFinite(string what, double value, string where) => new(FlamingoErrorKind.Model, string.Create(CultureInfo.InvariantCulture,
        $"{what} of {where} is {value}, no finite number. Lower the learning rate, warm up longer, or leave such micro-batches out (--non-finite skip)."));

    /// <summary>Why a run stops, with what can be done about it.</summary>
    public static FlamingoException Stopping(FlamingoException fault) => fault.Kind != FlamingoErrorKind.Input ? fault : new(fault.Kind,
        $"{fault.Message.TrimEnd()} Restore the file and go on with --resume, or leave such micro-batches out (--unreadable skip).", fault);

    // Null if the micro-batch is left out; otherwise why the run stops.
    private FlamingoException? Judge(FlamingoException fault, FaultPolicy policy)
    {
        _faultsInARow++;
        if (policy == FaultPolicy.Stop)
            return Stopping(fault);
        if (_faultsInARow > options.FaultsInARow)
        {
            return new FlamingoException(fault.Kind, string.Create(CultureInfo.InvariantCulture,
                $"{_faultsInARow} micro-batches in a row could not be learned from; {options.FaultsInARow} may be left out. The last one: {fault.Message}"), fault);
        }
        warn($"left out: {fault.Message}");
        return null;
    }
}
