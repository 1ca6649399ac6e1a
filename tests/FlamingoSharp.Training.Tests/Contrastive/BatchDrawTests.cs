namespace FlamingoSharp.Training.Tests.Contrastive;

public sealed class BatchDrawTests
{
    [Fact]
    public void No_two_sounds_of_a_batch_are_of_one_kind()
    {
        var sounds = Sounds(kinds: 20, each: 5);
        var draw = new BatchDraw(sounds);
        for (int seed = 0; seed < 50; seed++)
            Assert.Equal(16, draw.Draw(16, new Random(seed)).Select(i => sounds[i].Kind).Distinct().Count());
    }

    [Fact]
    public void Where_there_are_too_few_kinds_they_repeat() =>
        Assert.Equal(16, new BatchDraw(Sounds(kinds: 3, each: 5)).Draw(16, new Random(1)).Length);

    [Fact]
    public void Sounds_are_drawn_by_their_weights()
    {
        ClapSound[] sounds = [.. Sounds(kinds: 3, each: 1).Select((s, i) => s with { Weight = i == 1 ? 0 : i + 1 })]; // 1, 0, 3
        var draw = new BatchDraw(sounds);
        int[] drawn = [.. Enumerable.Range(0, 4000).Select(i => draw.Draw(1, new Random(i))[0])];
        Assert.DoesNotContain(1, drawn);
        Assert.InRange(drawn.Count(i => i == 2) / 4000.0, 0.7, 0.8);
    }

    [Fact]
    public void In_epochs_every_sound_comes_once_and_kinds_are_spread_evenly()
    {
        ClapSound[] sounds = [.. Sounds(kinds: 7, each: 5), .. Sounds(kinds: 1, each: 11)[5..]]; // 41, of the first kind 11
        var epochs = new ClapEpochs(sounds, 10);
        Assert.Equal(5, epochs.Batches);
        for (int epoch = 0; epoch < 3; epoch++)
        {
            int[][] batches = [.. Enumerable.Range(0, 5).Select(b => epochs.Batch(epoch * 5 + b))];
            Assert.Equal(Enumerable.Range(0, 41), batches.SelectMany(b => b).Order());
            Assert.All(batches, b => Assert.InRange(b.Length, 8, 9));
            Assert.All(batches, b => Assert.InRange(b.Count(i => sounds[i].Kind == "kind 0"), 2, 3));
            Assert.All(batches, b => Assert.All(b.CountBy(i => sounds[i].Kind).Where(k => k.Key != "kind 0"), k => Assert.Equal(1, k.Value)));
        }
        Assert.NotEqual(epochs.Batch(0), epochs.Batch(5));
        Assert.Equal(epochs.Batch(7), new ClapEpochs(sounds, 10).Batch(7)); // whatever was asked before
    }

    private static ClapSound[] Sounds(int kinds, int each) =>
    [
        .. from kind in Enumerable.Range(0, kinds)
           from i in Enumerable.Range(0, each)
           select new ClapSound { Id = $"{kind}-{i}", Kind = $"kind {kind}", Captions = ["caption"], Hear = () => throw new InvalidOperationException() },
    ];
}
