using System.Buffers.Binary;
using System.Text;

namespace FlamingoSharp.Training.Tests.Loop;

/// <summary>The files are read back by rules written down here a second time, check sums included.</summary>
public sealed class TensorBoardEventsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("events-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Check_sums_are_those_of_the_published_test_vectors()
    {
        // RFC 3720, B.4: CRC-32C of 32 zeros is 8A9136AA; masked by the rule of record_writer.h.
        Assert.Equal(Mask(0x8A9136AA), TensorBoardEvents.MaskedSum(new byte[32]));
        Assert.Equal(Mask(0xE3069283), TensorBoardEvents.MaskedSum("123456789"u8));
    }

    [Fact]
    public void Every_step_and_validation_is_there_for_the_reader()
    {
        using (var events = new TensorBoardEvents(_folder, 0))
        {
            events.Stepped(new TrainingStepReport(1, 2.5, 1e-4, 0.75, 8, 0.5, 0.1, 3 << 20, 0, TimeSpan.Zero));
            events.Stepped(new TrainingStepReport(300, 1.5, 2e-4, 0.5, 8, 0.5, 0, 3 << 20, 0, TimeSpan.Zero));
            events.Validated(new TrainingValidation(300, 1.25, new Dictionary<string, double> { ["recall@1"] = 0.5 }, true));
        }
        using (var events = new TensorBoardEvents(_folder, 200))
            events.Stepped(new TrainingStepReport(201, 1.75, 1e-4, 0.75, 8, 0.5, 0.1, 3 << 20, 0, TimeSpan.Zero));

        var files = Directory.EnumerateFiles(Path.Combine(_folder, TensorBoardEvents.FolderName)).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(2, files.Count);
        Assert.All(files, f => Assert.StartsWith("events.out.tfevents.", Path.GetFileName(f), StringComparison.Ordinal));
        var first = Read(files[0]);
        Assert.Equal("brain.Event:2", Encoding.UTF8.GetString((byte[])first[0][3][0]));
        Assert.Equal((1L, 2.5f), Scalar(first, "train/loss", 0));
        Assert.Equal((300L, 1.5f), Scalar(first, "train/loss", 1));
        Assert.Equal((1L, 0.2f), Scalar(first, "speed/data_wait", 0));
        Assert.Equal((300L, 16f), Scalar(first, "speed/samples_per_second", 1));
        Assert.Equal((300L, 1.25f), Scalar(first, "validation/loss", 0));
        Assert.Equal((300L, 0.5f), Scalar(first, "validation/recall@1", 0));

        // A run that goes on tells the reader to forget what the earlier file says of steps from 201.
        var second = Read(files[1]);
        Assert.Equal(201L, (long)second[1][2][0]);
        Assert.Equal(1L, (long)Fields((byte[])second[1][7][0])[1][0]);
        Assert.Equal((201L, 1.75f), Scalar(second, "train/loss", 0));
    }

    private static (long, float) Scalar(List<Dictionary<int, List<object>>> events, string tag, int which) => (
        from e in events
        where e.ContainsKey(5)
        from value in Fields((byte[])e[5][0])[1]
        let fields = Fields((byte[])value)
        where Encoding.UTF8.GetString((byte[])fields[1][0]) == tag
        select ((long)e[2][0], BitConverter.Int32BitsToSingle((int)fields[2][0]))).ElementAt(which);

    private static List<Dictionary<int, List<object>>> Read(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        var events = new List<Dictionary<int, List<object>>>();
        for (int at = 0; at < bytes.Length;)
        {
            int length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at));
            Assert.Equal(Mask(Crc(bytes.AsSpan(at, 8))), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 8)));
            byte[] data = bytes[(at + 12)..(at + 12 + length)];
            Assert.Equal(Mask(Crc(data)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 12 + length)));
            events.Add(Fields(data));
            Assert.InRange(BitConverter.Int64BitsToDouble((long)events[^1][1][0]), 1.6e9, 4e9); // seconds since 1970
            at += 16 + length;
        }
        return events;
    }

    private static Dictionary<int, List<object>> Fields(byte[] message)
    {
        var fields = new Dictionary<int, List<object>>();
        int at = 0;
        while (at < message.Length)
        {
            long key = Varint();
            object value = (key & 7) switch
            {
                0 => Varint(),
                1 => Take(8, b => (object)BinaryPrimitives.ReadInt64LittleEndian(b)),
                2 => Take((int)Varint(), b => b),
                5 => Take(4, b => (object)BinaryPrimitives.ReadInt32LittleEndian(b)),
                _ => throw new InvalidDataException($"wire type {key & 7}"),
            };
            if (!fields.TryGetValue((int)(key >> 3), out var values))
                fields[(int)(key >> 3)] = values = [];
            values.Add(value);
        }
        return fields;

        long Varint()
        {
            long value = 0;
            for (int shift = 0; ; shift += 7)
            {
                byte b = message[at++];
                value |= (long)(b & 0x7F) << shift;
                if (b < 0x80)
                    return value;
            }
        }

        object Take(int count, Func<byte[], object> read)
        {
            at += count;
            return read(message[(at - count)..at]);
        }
    }

    private static uint Mask(uint crc) => ((crc >> 15) | (crc << 17)) + 0xA282EAD8;

    // Bit by bit.
    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int i = 0; i < 8; i++)
                crc = (crc >> 1) ^ ((crc & 1) * 0x82F63B78);
        }
        return ~crc;
    }
}
