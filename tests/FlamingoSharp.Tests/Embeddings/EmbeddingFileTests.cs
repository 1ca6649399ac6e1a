using System.Text;
using FlamingoSharp.Embeddings;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Tests.Embeddings;

public sealed class EmbeddingFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("flamingo-embeddings-");

    [Fact]
    public void Safetensors_hold_each_embedding_under_its_name()
    {
        string path = PathOf("e.safetensors");
        EmbeddingFile.Write(path, [("a.wav", [1, 2]), ("b.wav", [3, 4])]);
        using var read = Checkpoint.Open(path);
        using var b = read.Read("b.wav");
        Assert.Equal(["a.wav", "b.wav"], read.Weights.Keys);
        Assert.Equal([3f, 4f], b.data<float>().ToArray());
    }

    // The layout is numpy's format 1.0 (numpy.lib.format): np.load reads it.
    [Fact]
    public void Npy_holds_one_matrix_in_the_order_given()
    {
        string path = PathOf("e.npy");
        EmbeddingFile.Write(path, [("a", [1, 2, 3]), ("b", [4, 5, 6])]);
        byte[] bytes = File.ReadAllBytes(path);
        Assert.Equal([0x93, .. "NUMPY"u8, 1, 0], bytes[..8]);
        int header = bytes[8] + 256 * bytes[9];
        Assert.Equal(0, (10 + header) % 64);
        Assert.Equal("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", Encoding.ASCII.GetString(bytes, 10, header).TrimEnd());
        Assert.Equal((byte)'\n', bytes[10 + header - 1]);
        Assert.Equal([1f, 2, 3, 4, 5, 6], Enumerable.Range(0, 6).Select(i => BitConverter.ToSingle(bytes, 10 + header + 4 * i)));
        Assert.Equal(10 + header + 24, bytes.Length);
    }

    [Fact]
    public void A_name_there_twice_and_an_unknown_ending_are_refused_and_leave_nothing()
    {
        Assert.Equal("'a' is to be stored twice; name each once.",
            Assert.Throws<FlamingoException>(() => EmbeddingFile.Write(PathOf("e.npy"), [("a", [1]), ("a", [1])])).Message);
        Assert.EndsWith("ends neither in .safetensors nor in .npy; choose one of them.",
            Assert.Throws<FlamingoException>(() => EmbeddingFile.Write(PathOf("e.csv"), [("a", [1])])).Message, StringComparison.Ordinal);
        Assert.Empty(_folder.EnumerateFiles());
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);
}
