using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace FlamingoSharp.Training;

/// <summary>Writes what TensorBoard shows: a file of events in <c>tensorboard</c>, one for each part of a run.</summary>
/// <remarks>
/// A record is its length, the length's check sum, an Event of Protocol Buffers, and its check sum; sums are CRC-32C, masked. Source:
/// tensorflow/core/lib/io/record_writer.h and tensorflow/core/util/event.proto. Written here, and not by TorchSharp's SummaryWriter, because a
/// run that goes on has to tell TensorBoard which steps it repeats.
/// </remarks>
internal sealed class TensorBoardEvents : ITrainingObserver, IDisposable
{
    /// <summary>The folder's name in the run's folder.</summary>
    public const string FolderName = "tensorboard";

    // Field numbers of Event, SessionLog, Summary and Summary.Value.
    private const int WallTime = 1, Step = 2, FileVersion = 3, SummaryField = 5, SessionLog = 7, Status = 1, Value = 1, Tag = 1, SimpleValue = 2;

    private readonly FileStream _file;

    /// <param name="folder">Of the run.</param> <param name="steps">Steps done; what earlier files say of later ones is void.</param>
    public TensorBoardEvents(string folder, int steps)
    {
        folder = Path.Combine(folder, FolderName);
        bool repeats = Directory.CreateDirectory(folder).EnumerateFiles().Any();
        string name = string.Create(CultureInfo.InvariantCulture, $"events.out.tfevents.{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}.{Environment.MachineName}.{Environment.ProcessId}");
        for (int i = 0; ; i++)
        {
            string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{name}.{i}"));
            if (File.Exists(path))
                continue;
            _file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
            break;
        }
        Write(Event(0, new Message().Text(FileVersion, "brain.Event:2")));
        if (repeats)
            Write(Event(steps + 1, new Message().Nested(SessionLog, new Message().Number(Status, 1)))); // START: forget this step and later ones
    }

    /// <inheritdoc/>
    public void Stepped(TrainingStepReport step)
    {
        Scalars(step.Step,
            ("train/loss", step.Loss), ("train/learning_rate", step.LearningRate), ("train/gradient_norm", step.GradientNorm),
            ("speed/samples_per_second", step.SamplesPerSecond), ("speed/data_wait", step.Seconds > 0 ? step.WaitSeconds / step.Seconds : 0),
            ("speed/memory_mb", step.MemoryBytes / 1048576.0));
    }

    /// <inheritdoc/>
    public void Validated(TrainingValidation validation)
    {
        Scalars(validation.Step, [("validation/loss", validation.Loss), .. validation.Scores.Select(s => ("validation/" + s.Key, s.Value))]);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>The check sum of a record's parts.</summary>
    internal static uint MaskedSum(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        for (; bytes.Length >= 8; bytes = bytes[8..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (byte b in bytes)
            crc = BitOperations.Crc32C(crc, b);
        return BitOperations.RotateRight(~crc, 15) + 0xA282EAD8;
    }

    private void Scalars(int step, params IEnumerable<(string Tag, double Value)> scalars)
    {
        var summary = new Message();
        foreach (var (tag, value) in scalars)
            summary.Nested(Value, new Message().Text(Tag, tag).Single(SimpleValue, (float)value));
        Write(Event(step, new Message().Nested(SummaryField, summary)));
    }

    private static byte[] Event(long step, Message what) =>
        [.. new Message().Double(WallTime, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0).Number(Step, step).Bytes, .. what.Bytes];

    private void Write(byte[] message)
    {
        byte[] record = new byte[12 + message.Length + 4];
        BinaryPrimitives.WriteInt64LittleEndian(record, message.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), MaskedSum(record.AsSpan(0, 8)));
        message.CopyTo(record, 12);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(12 + message.Length), MaskedSum(message));
        _file.Write(record);
    }

    /// <summary>A message of Protocol Buffers.</summary>
    private sealed class Message
    {
        private readonly MemoryStream _bytes = new();

        public byte[] Bytes => _bytes.ToArray();

        public Message Number(int field, long value)
        {
            Varint((ulong)(field << 3));
            Varint((ulong)value);
            return this;
        }

        public Message Double(int field, double value)
        {
            Varint((ulong)(field << 3 | 1));
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
            _bytes.Write(bytes);
            return this;
        }

        public Message Single(int field, float value)
        {
            Varint((ulong)(field << 3 | 5));
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
            _bytes.Write(bytes);
            return this;
        }

        public Message Text(int field, string value) => Block(field, Encoding.UTF8.GetBytes(value));

        public Message Nested(int field, Message value) => Block(field, value.Bytes);

        private Message Block(int field, byte[] value)
        {
            Varint((ulong)(field << 3 | 2));
            Varint((ulong)value.Length);
            _bytes.Write(value);
            return this;
        }

        private void Varint(ulong value)
        {
            for (; value >= 0x80; value >>= 7)
                _bytes.WriteByte((byte)(value | 0x80));
            _bytes.WriteByte((byte)value);
        }
    }
}
