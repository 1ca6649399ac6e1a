using System.Text;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Weights;

public sealed class SafeTensorsTests
{
    [Fact, NoTensorLeak]
    public void What_is_written_reads_back_in_every_element_type()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        ScalarType[] types =
        [
            ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Int64,
            ScalarType.Int32, ScalarType.Int16, ScalarType.Int8, ScalarType.Byte, ScalarType.Bool,
        ];
        var source = new MemorySource([.. types.Select(t => ($"a.{t}", (rand(3, 5) * 9).to_type(t))), ("empty", empty(0, 4)), ("scalar", tensor(3.5f))]);
        SafeTensorsWriter.WriteFile(folder.At("x.safetensors"), source);
        using var read = new SafeTensorsReader(folder.At("x.safetensors"));
        Assert.Equal(source.Weights.Keys, read.Weights.Keys);
        Assert.All(source.Weights.Keys, name =>
        {
            var (expected, found) = (source.Read(name), read.Read(name));
            Assert.Equal(expected.dtype, found.dtype);
            Assert.Equal(expected.shape, found.shape);
            Assert.True(expected.equal(found).all().ToBoolean(), name);
        });
        Assert.Equal("pt", read.Metadata["format"]);
    }

    [Fact, NoTensorLeak]
    public void A_folder_of_parts_reads_as_one_and_the_same_tensors_give_the_same_bytes()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var source = new MemorySource([.. Enumerable.Range(0, 7).Select(i => ($"layers.{i}.weight", rand(10, 10)))]);
        var options = new SafeTensorsOptions { ShardBytes = 1000, Type = ScalarType.BFloat16 };
        SafeTensorsWriter.WriteFolder(folder.At("a"), source, options);
        SafeTensorsWriter.WriteFolder(folder.At("b"), source, options);
        string[] files = [.. Directory.EnumerateFiles(folder.At("a")).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];
        Assert.Equal(
            ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"], files);
        Assert.All(files, f => Assert.Equal(File.ReadAllBytes(Path.Combine(folder.At("a"), f)), File.ReadAllBytes(Path.Combine(folder.At("b"), f))));
        using var read = Checkpoint.Open(folder.At("a"));
        Assert.Equal(source.Weights.Keys, read.Weights.Keys);
        Assert.All(source.Weights.Keys, n => Assert.True(source.Read(n, ScalarType.BFloat16).equal(read.Read(n)).all().ToBoolean()));
    }

    [Fact, NoTensorLeak]
    public void A_part_that_fails_half_way_leaves_no_file()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var source = new MemorySource(("a", rand(2)), ("b", rand(2))) { FailAt = "b" };
        Assert.Throws<FlamingoException>(() => SafeTensorsWriter.WriteFile(folder.At("x.safetensors"), source));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact, NoTensorLeak]
    public void A_missing_part_of_a_folder_is_named()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var source = new MemorySource(("a", rand(20)), ("b", rand(20)));
        SafeTensorsWriter.WriteFolder(folder.Path, source, new SafeTensorsOptions { ShardBytes = 10 });
        File.Delete(folder.At("model-00002-of-00002.safetensors"));
        Assert.Equal($"{folder.Path}: model-00002-of-00002.safetensors is missing, which model.safetensors.index.json lists; download it too.",
            Assert.Throws<FlamingoException>(() => Checkpoint.Open(folder.Path)).Message);
    }

    [Theory]
    [InlineData("""{"weight_map": {"a": "../x.safetensors"}}""", "'../x.safetensors' is no plain file name")]
    [InlineData("""{"weight_map": {"a": "/etc/passwd"}}""", "is no plain file name")]
    [InlineData("""{"weight_map": 3}""", "does not list the parts of a checkpoint")]
    [InlineData("""{}""", "does not list the parts of a checkpoint")]
    [InlineData("""{"weight_map": {}}""", "lists no parts")]
    public void An_index_that_points_elsewhere_is_refused(string index, string expected)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.At("model.safetensors.index.json"), index);
        var error = Assert.Throws<FlamingoException>(() => Checkpoint.Open(folder.Path));
        Assert.Equal(FlamingoErrorKind.Model, error.Kind);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "'a' stands twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "a hole or an overlap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 8, "4 bytes after the last tensor belong to none")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "no whole number of 0 or more")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}""", 4, "a field 'more'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1]}}""", 4, "needs dtype, shape and two data_offsets")]
    [InlineData("""{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}""", 8, "unknown element type 'C64'")]
    [InlineData("""{"a":[]}""", 0, "has a StartArray where a StartObject was expected")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0, 4611686018427387904, 8],"data_offsets":[0,0]}}""", 0, "")]
    [InlineData("""[]""", 0, "where a StartObject was expected")]
    [InlineData("""{} x""", 0, "not sound JSON")]
    public void A_header_that_does_not_describe_the_file_is_refused_with_the_byte(string header, int dataBytes, string expected)
    {
        using var folder = new TemporaryFolder();
        byte[] text = Encoding.UTF8.GetBytes(header);
        File.WriteAllBytes(folder.At("x"), [.. BitConverter.GetBytes((long)text.Length), .. text, .. new byte[dataBytes]]);
        var open = () => new SafeTensorsReader(folder.At("x")).Dispose();
        if (expected.Length == 0)
        {
            open(); // no elements, however large the other dimensions
            return;
        }
        var error = Assert.Throws<FlamingoException>(open);
        Assert.StartsWith(folder.At("x") + ": byte ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}
