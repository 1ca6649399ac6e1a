using System.Globalization;
using System.IO.Compression;
using System.Text;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.TestKit;

/// <summary>Writes what torch.save makes of <c>{"epoch": …, "state_dict": {…}}</c>: float32 tensors alone.</summary>
public static class TorchFile
{
    /// <summary>Writes the file.</summary>
    /// <param name="path">Where to.</param> <param name="source">The tensors, in order.</param> <param name="nameOf">The name of each in the file.</param>
    public static void Write(string path, IWeightSource source, Func<string, string> nameOf)
    {
        using var zip = ZipFile.Open(path, ZipArchiveMode.Create);
        var pickle = new MemoryStream();
        void Code(string text) => pickle.Write(Encoding.Latin1.GetBytes(text));
        void Text(string text) => Sized('X', Encoding.UTF8.GetBytes(text));
        void Sized(char code, byte[] bytes)
        {
            pickle.WriteByte((byte)code);
            pickle.Write(BitConverter.GetBytes(bytes.Length));
            pickle.Write(bytes);
        }
        void Number(long value)
        {
            pickle.WriteByte((byte)'J');
            pickle.Write(BitConverter.GetBytes((int)value));
        }
        void Numbers(IEnumerable<long> values)
        {
            Code("(");
            foreach (long value in values)
                Number(value);
            Code("t");
        }

        Code("\u0080\u0002}(");
        Text("epoch");
        Number(16);
        Text("state_dict");
        Code("}(");
        int key = 0;
        foreach (var (name, info) in source.Weights)
        {
            string record = (key++).ToString(CultureInfo.InvariantCulture);
            Text(nameOf(name));
            Code("ctorch._utils\n_rebuild_tensor_v2\n((");
            Text("storage");
            Code("ctorch\nFloatStorage\n");
            Text(record);
            Text("cpu");
            Number(info.Count);
            Code("tQ");
            Number(0);
            Numbers(info.Shape);
            Numbers(info.Shape.Select((_, i) => info.Shape.Skip(i + 1).Aggregate(1L, (a, b) => a * b)));
            Code("\u0089ccollections\nOrderedDict\n)RtR");
            using var data = zip.CreateEntry($"archive/data/{record}", CompressionLevel.NoCompression).Open();
            using var tensor = source.Read(name, ScalarType.Float32);
            data.Write(tensor.bytes);
        }
        Code("uu.");
        using var entry = zip.CreateEntry("archive/data.pkl", CompressionLevel.NoCompression).Open();
        entry.Write(pickle.ToArray());
    }
}
