using CsCheck;
using FlamingoSharp.Generation;

namespace FlamingoSharp.Tests.Generation;

public sealed class StopTextScannerTests
{
    [Fact]
    public void Shows_everything_before_the_first_stop_text_however_the_text_is_cut() =>
        Gen.Select(Gen.Char["ab."].Array[0, 30].Select(c => new string(c)), Gen.Char["ab."].Array[1, 3].Select(c => new string(c)).Array[0, 3], Gen.Int[1, 5])
        .Sample((text, stops, size) =>
        {
            var scanner = new StopTextScanner(stops);
            string shown = string.Concat(text.Chunk(size).Select(piece => scanner.Push(new string(piece)))) + scanner.Finish();
            int[] found = [.. stops.Select(s => text.IndexOf(s, StringComparison.Ordinal)).Where(i => i >= 0)];
            Assert.Equal(found.Length > 0, scanner.Stopped);
            if (size >= text.Length || found.Length == 0)
                Assert.Equal(text[..(found.Length > 0 ? found.Min() : text.Length)], shown);
            else
                Assert.DoesNotContain(stops, s => shown.Contains(s, StringComparison.Ordinal));
        });

    [Fact]
    public void Holds_back_only_what_may_begin_a_stop_text()
    {
        var scanner = new StopTextScanner(["\n\n", "User:"]);
        Assert.Equal("a dog", scanner.Push("a dog"));
        Assert.Equal(" barks", scanner.Push(" barks\n"));
        Assert.Equal("\nloud", scanner.Push("loud"));
        Assert.Equal(".", scanner.Push(".Us"));
        Assert.Equal("Use", scanner.Push("eUser"));
        Assert.False(scanner.Stopped);
        Assert.Equal("", scanner.Push(": and more"));
        Assert.True(scanner.Stopped);
        Assert.Equal("", scanner.Push("never shown"));
        Assert.Equal("", scanner.Finish());
    }

    [Fact]
    public void Gives_back_at_the_end_what_it_held_in_vain()
    {
        var scanner = new StopTextScanner(["END"]);
        Assert.Equal("the ", scanner.Push("the EN"));
        Assert.Equal("EN", scanner.Finish());
        Assert.False(scanner.Stopped);
    }
}
