using static TorchSharp.torch;

namespace FlamingoSharp.Training.Data;

/// <summary>The order of an epoch's samples: torch's <c>DistributedSampler(shuffle=True)</c> with seed 0.</summary>
public static class EpochOrder
{
    /// <summary>The samples of one process, in order.</summary>
    /// <param name="count">Samples of the epoch, all processes together.</param>
    /// <param name="epoch">Seeds the permutation.</param>
    /// <param name="processes">How many processes share the epoch; the first samples are repeated until they divide evenly.</param>
    /// <param name="process">Which of them this is, from 0.</param>
    public static int[] For(int count, int epoch, int processes = 1, int process = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfLessThan(processes, 1);
        if (process < 0 || process >= processes)
            throw new ArgumentOutOfRangeException(nameof(process), process, $"There are {processes} processes, numbered from 0.");
        if (count == 0)
            return [];
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)epoch, CPU);
        long[] order = randperm(count, generator: generator).data<long>().ToArray();
        int each = (count + processes - 1) / processes;
        return [.. Enumerable.Range(0, each).Select(i => (int)order[(i * processes + process) % count])];
    }
}
