using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Weights;

/// <summary>Large checkpoints are read piece by piece.</summary>
public sealed class StreamingTests
{
    [Fact, NoTensorLeak]
    public void Converting_while_reading_holds_one_piece_beside_the_result()
    {
        using var folder = new TemporaryFolder();
        string path = folder.At("x.safetensors");
        using var made = SyntheticCheckpoint.Of("synthetic", [new WeightInfo("a.weight", [4096, 4096], ScalarType.Float32)]); // 64 MB
        SafeTensorsWriter.WriteFile(path, made);
        using var source = Checkpoint.Open(path);
        using var scope = NewDisposeScope();
        source.Read("a.weight", ScalarType.BFloat16).Dispose();
        long managed = GC.GetTotalAllocatedBytes(precise: true);
        ResetPeakResident();
        var tensor = source.Read("a.weight", ScalarType.BFloat16);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - managed, 0, 1 << 20);
        long gone = PeakResident() - Resident(); // the result stays; the piece beside it has 8 MB
        Assert.True(gone < 12L << 20, $"{gone >> 20} MB were held beside the result.");
        Assert.Equal(ScalarType.BFloat16, tensor.dtype);
    }

    [Fact, NoTensorLeak]
    public void Views_with_holes_are_read_in_pieces_and_in_order()
    {
        using var scope = NewDisposeScope();
        var storage = arange(6_000_000, ScalarType.Float32); // 24 MB: three pieces
        foreach (var (size, stride, offset) in new (long[], long[], long)[]
        {
            ([2000, 3000], [1, 2000], 0), // transposed
            ([3, 1000, 1000], [1_000_000, 1, 1000], 2_999_999), // of which the last two are
            ([3], [2_900_000], 17), // each element in a piece of its own
            ([2, 1500], [2_500_000, 2], 5),
            ([5, 3_000_000], [0, 2], 1), // the same row five times
        })
        {
            var info = new WeightInfo("x", size, ScalarType.Float32);
            long read = 0;
            var found = ElementReader.Strided(info, stride, ScalarType.Float64, (position, buffer) =>
            {
                Assert.True(buffer.Length <= ElementReader.ChunkBytes);
                read += buffer.Length;
                storage.narrow(0, offset + (position / 4), buffer.Length / 4).bytes.CopyTo(buffer);
            });
            Assert.True(storage.as_strided(size, stride, offset).to_type(ScalarType.Float64).equal(found).all().ToBoolean());
            Assert.InRange(read, 1, 5L * storage.numel() * 4);
        }
    }

    private static long Resident() => Status("VmRSS:");

    private static long PeakResident() => Status("VmHWM:");

    /// <summary>From Linux's account of the process; 0 elsewhere.</summary>
    private static long Status(string key) => !File.Exists("/proc/self/status") ? 0
        : long.Parse(File.ReadLines("/proc/self/status").First(l => l.StartsWith(key, StringComparison.Ordinal))[key.Length..].Replace("kB", "", StringComparison.Ordinal),
            System.Globalization.CultureInfo.InvariantCulture) * 1024;

    private static void ResetPeakResident()
    {
        try
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Assert.Skip("the peak of memory cannot be reset here");
        }
    }
}
