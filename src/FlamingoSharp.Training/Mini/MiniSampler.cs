using System.Collections.Concurrent;
using FlamingoSharp.Training.Sounds;

namespace FlamingoSharp.Training;

/// <summary>One text of a training batch.</summary>
/// <param name="Text">As token ids.</param> <param name="Parts">What a new composition is made of; null for a stored sound.</param>
internal sealed record MiniSample(TokenizedText Text, IReadOnlyList<PlacedSound>? Parts);

/// <summary>Draws training batches: texts of about one length go together, and the batch of a number is always the same.</summary>
internal sealed class MiniSampler(TrainingTexts texts, NewCompositions compositions, TextBatcher batcher, int batchSize, double compositionShare, long seed)
{
    private const int Pool = 12; // batches drawn and sorted together
    private readonly ConcurrentDictionary<long, Lazy<MiniSample[][]>> _pools = [];

    /// <summary>The batch of a number.</summary>
    public IReadOnlyList<MiniSample> Batch(long index)
    {
        long pool = index / Pool;
        foreach (long old in _pools.Keys.Where(k => k < pool - 1))
            _pools.TryRemove(old, out _);
        return _pools.GetOrAdd(pool, p => new(() => DrawPool(p))).Value[index % Pool];
    }

    private MiniSample[][] DrawPool(long pool)
    {
        var samples = new List<MiniSample>();
        for (int i = 0; samples.Count < Pool * batchSize; i++)
        {
            if (Draw(pool, i) is { } sample)
                samples.Add(sample);
        }
        var batches = samples.OrderBy(s => s.Text.Whole.Count).Chunk(batchSize).ToArray();
        SplitMix.At(seed, pool).Shuffle(batches);
        return batches;
    }

    private MiniSample? Draw(long pool, int index)
    {
        var random = SplitMix.For("mini", (ulong)(seed ^ (pool << 24) ^ index));
        if (random.NextDouble() >= compositionShare)
            return batcher.Tokenize(texts.DrawAny(ref random)) is { } stored ? new MiniSample(stored, null) : null;
        string id = $"new:{pool}:{index}";
        return compositions.Draw(id, ref random) is { } made
            && batcher.Tokenize(texts.DrawAbout(made.Sound, made.Questions, ref random)) is { } text ? new MiniSample(text, made.Parts) : null;
    }
}
