using System.Globalization;
using FlamingoSharp.Generation;
using FlamingoSharp.TestKit;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests;

/// <summary>Memory stays flat over many captions: 100 by default, 1,000 where FLAMINGO_SOAK is 1.</summary>
[Trait("Category", "Soak")]
public sealed class SoakTests(ITestOutputHelper output)
{
    [Fact, NoTensorLeak]
    public void Captions_leave_nothing_behind()
    {
        int captions = Environment.GetEnvironmentVariable("FLAMINGO_SOAK") == "1" ? 1000 : 100;
        using var folder = new TinyModel();
        using var flamingo = Flamingo.Load(folder.Folder);
        var options = new GenerationOptions { MaxNewTokens = 8 };
        for (int i = 0; i < 5; i++)
            Caption(i);
        long tensors = Tensor.TotalCount;
        var (managed, resident) = Memory("start");
        for (int i = 0; i < captions; i++)
        {
            Caption(i);
            Assert.Equal(tensors, Tensor.TotalCount);
            if (i == captions / 2)
                Memory("middle");
        }
        var (managedAtEnd, residentAtEnd) = Memory("end");
        // An allocator may keep a few blocks more; a leak of one window of sound a caption would be 64 KB each.
        Assert.InRange(managedAtEnd - managed, long.MinValue, 2 << 20);
        Assert.InRange(residentAtEnd - resident, long.MinValue, 48 << 20);

        void Caption(int i)
        {
            using var sound = flamingo.Hear(TinyModel.Recording(i, 0.5 + i % 5 * 0.5));
            Assert.NotNull(flamingo.Caption(sound, options).Text);
        }
    }

    private (long Managed, long Resident) Memory(string when)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long managed = GC.GetTotalMemory(forceFullCollection: true), resident = Environment.WorkingSet;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{when}: {Tensor.TotalCount} tensors, {managed / 1048576.0:0.0} MB managed, {resident / 1048576.0:0.0} MB resident"));
        return (managed, resident);
    }
}
