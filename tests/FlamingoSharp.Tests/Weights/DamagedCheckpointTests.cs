using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using CsCheck;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Weights;

/// <summary>Whatever happens to a file, reading it ends in tensors or in one clear error.</summary>
public sealed class DamagedCheckpointTests
{
    public static TheoryData<string> Good =>
    [
        "af1_part4.pt", "af1_full_torch2.pt", "mixed_dtypes_views.pt", "mixed_legacy.pt", "handmade_ok.pt", "path_traversal.pt", "clapcap_style.pth",
        "st_ok.safetensors", "safe_ckpt/chunk_1.safetensors",
    ];

    [Theory, MemberData(nameof(Good)), NoTensorLeak]
    public void A_file_cut_off_anywhere_ends_in_one_clear_error(string name)
    {
        using var folder = new TemporaryFolder();
        byte[] whole = Bytes(name);
        string path = folder.At("cut");
        for (int i = 0; i < 50; i++)
        {
            File.WriteAllBytes(path, whole[..(int)((long)whole.Length * i / 50)]);
            var error = Assert.Throws<FlamingoException>(() => ReadAll(path));
            Assert.Equal(FlamingoErrorKind.Model, error.Kind);
            Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        }
    }

    [Theory, NoTensorLeak]
    [InlineData("handmade_ok.pt")]
    [InlineData("mixed_dtypes_views.pt")]
    [InlineData("mixed_legacy.pt")]
    [InlineData("st_ok.safetensors")]
    public void Changed_bytes_never_end_in_anything_but_tensors_or_one_clear_error(string name)
    {
        using var folder = new TemporaryFolder();
        byte[] whole = Bytes(name);
        string path = folder.At("changed");
        // A change near the front or the end hits headers and directories; elsewhere it mostly hits data.
        var position = Gen.OneOf(Gen.Int[0, whole.Length - 1], Gen.Int[0, Math.Min(300, whole.Length - 1)], Gen.Int[Math.Max(0, whole.Length - 300), whole.Length - 1]);
        Gen.Select(position, Gen.OneOf(Gen.Byte, Gen.OneOf(Gen.Const((byte)0), Gen.Const((byte)1), Gen.Const((byte)0x80), Gen.Const((byte)0xff)))).Array[1, 4].Sample(changes =>
        {
            byte[] changed = [.. whole];
            foreach (var (at, value) in changes)
                changed[at] = value;
            File.WriteAllBytes(path, changed);
            try
            {
                ReadAll(path);
            }
            catch (FlamingoException e)
            {
                Assert.Equal(FlamingoErrorKind.Model, e.Kind);
                Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
            }
        }, iter: 400, threads: 1);
    }

    [Fact]
    public void A_changed_byte_of_a_tensor_is_found_by_its_check_sum()
    {
        using var folder = new TemporaryFolder();
        byte[] changed = Bytes("handmade_ok.pt");
        int at = changed.AsSpan().IndexOf(MemoryMarshalBytes(3f, 4f));
        changed[at] ^= 1;
        File.WriteAllBytes(folder.At("x.pt"), changed);
        Assert.Contains("check sum", Assert.Throws<FlamingoException>(() => ReadAll(folder.At("x.pt"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("csubprocess\nPopen\n.", "subprocess.Popen")]
    [InlineData("ctorch\nload\n.", "torch.load")]
    [InlineData("c__builtin__\ngetattr\n.", "__builtin__.getattr")]
    [InlineData("ctorch\nComplexFloatStorage\n.", "torch.ComplexFloatStorage")]
    public void No_name_but_the_listed_ones_is_accepted(string pickle, string name) =>
        Assert.Contains($"names '{name}'", Refused(pickle).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("i__builtin__\neval\n.", "0x69")] // INST
    [InlineData("Ptorch\n.", "0x50")] // PERSID
    [InlineData("\u0081.", "0x81")] // NEWOBJ
    [InlineData("\u0093.", "0x93")] // STACK_GLOBAL
    [InlineData("\u0082\u0001.", "0x82")] // EXT1
    public void Instructions_that_torch_does_not_write_are_refused(string pickle, string code) =>
        Assert.Contains($"instruction {code}", Refused(pickle).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("h\u0005.", "recalls value 5")]
    [InlineData("t.", "ends a sequence that it did not begin")]
    [InlineData("}(.", "takes a value where there is none")]
    [InlineData("NR.", "takes more values than there are")]
    [InlineData("X\u00ff\u00ff\u00ff\u00ff.", "a text of 4294967295 bytes was announced")]
    [InlineData("NNNs.", "sets items of something that is no dictionary")]
    [InlineData("Na.", "takes a value where there is none")]
    [InlineData("K\u0001K\u0002.", "values left over")]
    [InlineData("ccollections\nOrderedDict\n)R}b.", "holds no tensors")]
    [InlineData("ccollections\nOrderedDict\nNb.", "sets the state of something that is no dictionary")]
    [InlineData("U\u0001x.", "instruction 0x55")]
    public void Pickles_that_contradict_themselves_are_refused(string pickle, string expected) =>
        Assert.Contains(expected, Refused(pickle).Message, StringComparison.Ordinal);

    [Fact]
    public void A_compressed_archive_is_refused()
    {
        using var folder = new TemporaryFolder();
        Zip(folder.At("x.pt"), "\u0080\u0002}.", CompressionLevel.SmallestSize);
        Assert.Contains("compressed or encrypted", Assert.Throws<FlamingoException>(() => ReadAll(folder.At("x.pt"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_archive_above_four_gigabytes_reads_through_its_wide_directory()
    {
        using var folder = new TemporaryFolder();
        byte[] narrow = Bytes("handmade_ok.pt");
        File.WriteAllBytes(folder.At("x.pt"), Widened(narrow));
        using var scope = NewDisposeScope();
        using var source = Checkpoint.Open(folder.At("x.pt"));
        Assert.Equal([2f, 3f, 4f, 5f, 6f, 7f], source.Read("t").data<float>().ToArray());
    }

    /// <summary>The same archive with every number of its directory moved into ZIP64 fields.</summary>
    private static byte[] Widened(byte[] zip)
    {
        int end = zip.Length - 22;
        int start = (int)U32(zip, end + 16), at = start, count = 0;
        var result = new MemoryStream();
        result.Write(zip.AsSpan(0, start));
        for (; at < end; count++)
        {
            int nameLength = BinaryPrimitives.ReadUInt16LittleEndian(zip.AsSpan(at + 28)), extraLength = BinaryPrimitives.ReadUInt16LittleEndian(zip.AsSpan(at + 30));
            Assert.Equal(0, extraLength);
            byte[] entry = zip[at..(at + 46 + nameLength)];
            byte[] wide = new byte[28];
            wide[0] = 1;
            wide[2] = 24;
            BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(4), U32(entry, 24));
            BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(12), U32(entry, 20));
            BinaryPrimitives.WriteInt64LittleEndian(wide.AsSpan(20), U32(entry, 42));
            foreach (int field in (int[])[20, 24, 42])
                BinaryPrimitives.WriteUInt32LittleEndian(entry.AsSpan(field), uint.MaxValue);
            entry[30] = 28;
            result.Write(entry);
            result.Write(wide);
            at += entry.Length;
        }
        long directoryEnd = result.Length;
        using var writer = new BinaryWriter(result);
        writer.Write(0x06064b50u);
        writer.Write(44L);
        writer.Write(0x002d002du);
        writer.Write(0L);
        writer.Write((long)count);
        writer.Write((long)count);
        writer.Write(directoryEnd - start);
        writer.Write((long)start);
        writer.Write(0x07064b50u);
        writer.Write(0u);
        writer.Write(directoryEnd);
        writer.Write(1u);
        writer.Write(0x06054b50u);
        writer.Write(0u);
        writer.Write(ulong.MaxValue);
        writer.Write(uint.MaxValue);
        writer.Write((ushort)0);
        writer.Flush();
        return result.ToArray();
    }

    private static long U32(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));

    private static FlamingoException Refused(string pickle)
    {
        using var folder = new TemporaryFolder();
        string path = folder.At("x.pt");
        Zip(path, "\u0080\u0002" + pickle, CompressionLevel.NoCompression);
        var error = Assert.Throws<FlamingoException>(() => ReadAll(path));
        Assert.StartsWith(path + ": byte ", error.Message, StringComparison.Ordinal);
        return error;
    }

    private static void Zip(string path, string pickle, CompressionLevel level)
    {
        using var zip = ZipFile.Open(path, ZipArchiveMode.Create);
        using var entry = zip.CreateEntry("x/data.pkl", level).Open();
        entry.Write(Encoding.Latin1.GetBytes(pickle));
    }

    private static byte[] MemoryMarshalBytes(params float[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    private static byte[] Bytes(string name) =>
        File.ReadAllBytes(Path.Combine(ReferenceSet.RepositoryRoot, "tests", "ReferenceVectors", "checkpoint-formats", name));

    private static void ReadAll(string path)
    {
        using var scope = NewDisposeScope();
        using var source = Checkpoint.Open(path);
        foreach (string name in source.Weights.Keys)
            source.Read(name).Dispose();
    }
}
