using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training;

/// <summary>
/// Epochs of a CLAP model's sounds: every sound once, batches of the same size give or take one, sounds of a kind spread over as many of them
/// as there are, so that each is a fair negative for the others. A batch follows from its number alone. May be asked by several threads.
/// </summary>
internal sealed class ClapEpochs(IReadOnlyList<ClapSound> sounds, int batchSize)
{
    private readonly Lock _dealing = new();
    private readonly Dictionary<int, int[]> _dealt = [];

    /// <summary>Batches of an epoch.</summary>
    public int Batches { get; } = (sounds.Count + batchSize - 1) / batchSize;

    /// <summary>Indices of the sounds of a batch.</summary>
    public int[] Batch(long index)
    {
        int[] dealt = Deal((int)(index / Batches));
        int first = (int)(index % Batches);
        return [.. Enumerable.Range(0, (dealt.Length - first + Batches - 1) / Batches).Select(i => dealt[first + i * Batches])];
    }

    // Kind after kind, in an order of the epoch's own; every so-manieth belongs to a batch.
    private int[] Deal(int epoch)
    {
        lock (_dealing)
        {
            if (_dealt.TryGetValue(epoch, out int[]? dealt))
                return dealt;
            if (_dealt.Count > 1) // batches are laid out ahead: two epochs are in use where they meet
                _dealt.Remove(_dealt.Keys.Min());
            return _dealt[epoch] = [.. EpochOrder.For(sounds.Count, epoch).GroupBy(i => sounds[i].Kind, StringComparer.Ordinal).SelectMany(g => g)];
        }
    }
}
