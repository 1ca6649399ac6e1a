using FlamingoSharp.Models;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Tests.Mini;

public sealed class PartTaggingTests : IDisposable
{
    private const int Frames = 256, Bands = 64, Vectors = 8, Width = 256;

    private static readonly TaggedSound[] s_sounds =
    [
        new("dog", "dog", ["dog", "animal"], 1), new("bell", "bell", ["bell"], 1), new("seen once", "bell", ["bell", "rare"], 1),
    ];

    private readonly PartTagging _tagging = new(s_sounds, FlamingoConfig.Mini.Encoder, minimumTagCount: 2, seed: 1);

    [Fact]
    public void A_part_is_told_from_the_vectors_of_its_own_time()
    {
        // The second sound has two windows; the dog is heard in its first 2.5 s, the bell around the border of the windows.
        LaidSound[] laid = [Laid(1, new LaidPart("dog", 0, 256)), Laid(2, new("dog", 0, 127), new("bell", 240, 300))];
        using var targets = _tagging.Targets(laid, Frames * Bands);
        Assert.NotNull(targets);
        var heard = Rows(targets);
        Assert.Equal(Enumerable.Range(0, 8), heard[0]);
        Assert.Equal(Enumerable.Range(8, 4), heard[1]);
        Assert.Equal(Enumerable.Range(8 + 7, 3), heard[2]); // 240 to 300 of frames 32 apart: vectors 7, 8, 9
        Assert.All(Enumerable.Range(0, 3), i => Assert.Equal(1, targets.Shares[i].sum().item<float>(), 5));
        Assert.Equal(1, targets.Concepts.sum(1).max().item<float>());
        Assert.Equal([1, 1, 1], Numbers(targets.Concepts.sum(1)));
        Assert.Equal(targets.Concepts[0].data<float>().ToArray(), targets.Concepts[1].data<float>().ToArray());
        Assert.NotEqual(targets.Concepts[1].data<float>().ToArray(), targets.Concepts[2].data<float>().ToArray());
        Assert.Equal([0, 0, 1], Numbers(targets.Tags.sum(1))); // only "bell" is carried by two sounds
    }

    [Fact]
    public void A_part_outside_the_windows_still_has_the_vector_next_to_it_and_an_unknown_sound_is_not_told()
    {
        using var targets = _tagging.Targets([Laid(1, new("bell", 300, 320), new("nobody told", 0, 256))], Frames * Bands);
        Assert.NotNull(targets);
        Assert.Equal([Vectors - 1], Assert.Single(Rows(targets)));
        Assert.Null(_tagging.Targets([Laid(1, new LaidPart("nobody told", 0, 256))], Frames * Bands));
    }

    [Fact]
    public void Only_what_is_heard_of_a_part_learns_and_it_learns()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var vectors = randn([2, Vectors, Width]).requires_grad_();
        using var targets = _tagging.Targets([Laid(2, new("dog", 0, 63), new("bell", 255, 510))], Frames * Bands)!;
        float before = Step(), after = Step();
        var moved = vectors.grad!.abs().sum(2).flatten();
        Assert.Equal([0, 1, 8, 9, 10, 11, 12, 13, 14, 15], Enumerable.Range(0, 16).Where(i => moved[i].item<float>() > 0));
        Assert.True(after < before, $"{before} -> {after}");

        float Step()
        {
            vectors.grad?.zero_();
            var loss = _tagging.Loss(vectors, targets);
            loss.backward();
            using (no_grad())
                vectors.sub_(vectors.grad!);
            return loss.item<float>();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _tagging.Dispose();

    private static LaidSound Laid(int windows, params LaidPart[] parts) => new(new float[windows * Frames * Bands], parts);

    private static float[] Numbers(Tensor tensor) => tensor.data<float>().ToArray();

    // The vectors that count in each part's mean.
    private static List<int[]> Rows(PartTargets targets)
    {
        int p = (int)targets.Shares.shape[0], l = (int)targets.Shares.shape[2];
        long[] rows = targets.Rows.data<long>().ToArray();
        float[] shares = targets.Shares.data<float>().ToArray();
        return [.. Enumerable.Range(0, p).Select(i => Enumerable.Range(i * l, l).Where(j => shares[j] > 0).Select(j => (int)rows[j]).ToArray())];
    }
}
