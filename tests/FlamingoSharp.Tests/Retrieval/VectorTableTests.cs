using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Tests.Retrieval;

public sealed class VectorTableTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(100, 3, 100)]
    [InlineData(9001, 17, 25)] // several threads
    [InlineData(50, 1_000_003, 4)] // several blocks: two vectors a block
    public void Finds_exactly_the_best_in_order(int rows, int dimension, int count)
    {
        var random = new Random(rows);
        var table = new VectorTable(dimension);
        float[][] vectors = [.. Enumerable.Range(0, rows).Select(_ => Enumerable.Range(0, dimension).Select(_ => (float)random.Next(-3, 4)).ToArray())];
        foreach (float[] vector in vectors)
            table.Add(vector);
        float[] query = [.. Enumerable.Range(0, dimension).Select(_ => (float)random.Next(-3, 4))];
        // Whole numbers: every sum is exact, and there are many ties.
        var expected = vectors.Select((v, row) => (row, v.Zip(query, (a, b) => a * b).Sum())).OrderByDescending(r => r.Item2).ThenBy(r => r.row).Take(count);
        Assert.Equal(expected, table.Nearest(query, count));
        Assert.Equal(vectors[rows - 1], table[rows - 1].ToArray());
    }

    [Fact]
    public void A_replaced_vector_is_found_in_its_row()
    {
        var table = new VectorTable(2);
        table.Add([1, 0]);
        table.Add([0, 1]);
        table.Set(0, [0, 3]);
        Assert.Equal([(0, 3f), (1, 1f)], table.Nearest(new float[] { 0, 1 }, 5));
        Assert.Empty(new VectorTable(2).Nearest(new float[] { 0, 1 }, 5));
    }
}
