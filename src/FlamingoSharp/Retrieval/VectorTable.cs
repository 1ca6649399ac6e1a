using System.Numerics.Tensors;

namespace FlamingoSharp.Retrieval;

/// <summary>Vectors in memory, searched exactly: every one is compared.</summary>
/// <remarks>
/// A scan is bound by memory, so the vectors lie in large blocks and each core scans a part of them. Written by one thread at a time; a search
/// may run meanwhile and sees the rows that were there when it began.
/// </remarks>
internal sealed class VectorTable
{
    private const int BlockFloats = 1 << 21; // 8 MB: large enough to stream, small enough to grow by
    private const int RowsAtLeast = 4096;    // rows that are worth another thread

    private readonly int _dimension;
    private readonly int _blockRows;
    private float[][] _blocks = [];
    private volatile int _count;

    /// <param name="dimension">Width of a vector.</param>
    public VectorTable(int dimension) => (_dimension, _blockRows) = (dimension, Math.Max(1, BlockFloats / dimension));

    /// <summary>Number of vectors.</summary>
    public int Count => _count;

    /// <summary>Room for the next vector; it counts once <see cref="Commit"/> is called.</summary>
    public Span<float> Next()
    {
        int block = _count / _blockRows;
        if (block == _blocks.Length)
            _blocks = [.. _blocks, GC.AllocateUninitializedArray<float>(_blockRows * _dimension)];
        return _blocks[block].AsSpan(_count % _blockRows * _dimension, _dimension);
    }

    /// <summary>Makes the vector that <see cref="Next"/> gave room to part of the table.</summary>
    public void Commit() => _count++;

    /// <summary>Adds a vector.</summary>
    public void Add(ReadOnlySpan<float> vector)
    {
        vector.CopyTo(Next());
        Commit();
    }

    /// <summary>Replaces a vector; a search that is under way still sees the old one.</summary>
    public void Set(int row, ReadOnlySpan<float> vector)
    {
        float[] block = [.. _blocks[row / _blockRows]];
        vector.CopyTo(block.AsSpan(row % _blockRows * _dimension, _dimension));
        float[][] blocks = [.. _blocks];
        blocks[row / _blockRows] = block;
        _blocks = blocks;
    }

    /// <summary>One of the vectors.</summary>
    public ReadOnlySpan<float> this[int row] => _blocks[row / _blockRows].AsSpan(row % _blockRows * _dimension, _dimension);

    /// <summary>The vectors with the largest scalar product, best first; equal ones in the order of the table.</summary>
    /// <param name="query">As wide as the table.</param> <param name="count">How many at most.</param>
    public IReadOnlyList<(int Row, float Score)> Nearest(ReadOnlyMemory<float> query, int count)
    {
        int rows = _count;
        float[][] blocks = _blocks;
        count = Math.Min(count, rows);
        if (count <= 0)
            return [];
        int parts = Math.Clamp(rows / RowsAtLeast, 1, Environment.ProcessorCount);
        var best = new PriorityQueue<int, Rank>[parts];
        if (parts == 1)
            best[0] = Scan(0, rows);
        else
            Parallel.For(0, parts, p => best[p] = Scan((int)((long)rows * p / parts), (int)((long)rows * (p + 1) / parts)));
        return [.. best.SelectMany(q => q.UnorderedItems).OrderByDescending(r => r.Priority).Take(count).Select(r => (r.Element, r.Priority.Score))];

        PriorityQueue<int, Rank> Scan(int from, int to)
        {
            var queue = new PriorityQueue<int, Rank>(count + 1);
            var vector = query.Span;
            for (int row = from; row < to; row++)
            {
                float score = TensorPrimitives.Dot(vector, blocks[row / _blockRows].AsSpan(row % _blockRows * _dimension, _dimension));
                var rank = new Rank(score, row);
                if (queue.Count < count)
                    queue.Enqueue(row, rank);
                else if (queue.TryPeek(out _, out var worst) && rank.CompareTo(worst) > 0)
                    queue.DequeueEnqueue(row, rank);
            }
            return queue;
        }
    }

    /// <summary>The better of two has the higher score, or stands first.</summary>
    private readonly record struct Rank(float Score, int Row) : IComparable<Rank>
    {
        public int CompareTo(Rank other) => Score.CompareTo(other.Score) is not 0 and var order ? order : other.Row.CompareTo(Row);
    }
}
