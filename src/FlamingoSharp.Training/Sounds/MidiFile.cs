using System.Buffers.Binary;

namespace FlamingoSharp.Training.Sounds;

/// <summary>Writes a standard MIDI file of one track, in ticks of one millisecond.</summary>
/// <remarks>Source: Standard MIDI Files 1.0, format 0; 1000 ticks a quarter note, one quarter note a second.</remarks>
internal sealed class MidiFile
{
    private const byte NoteOff = 0x80, NoteOn = 0x90, ControlChange = 0xB0, ProgramChange = 0xC0;
    private const byte BankSelect = 0, AllSoundOff = 120;

    private readonly List<(long Tick, int Order, byte[] Bytes)> _events = [];

    /// <summary>The drum channel, counted from 0; the manual calls it 10.</summary>
    public const int DrumChannel = 9;

    /// <summary>Chooses the channel's instrument.</summary>
    public void Program(long tick, int channel, int program)
    {
        Add(tick, 1, (byte)(ControlChange | channel), BankSelect, 0);
        Add(tick, 2, (byte)(ProgramChange | channel), (byte)program);
    }

    /// <summary>Strikes a key and lets it go.</summary>
    public void Play(long tick, long ticks, int channel, int key, int velocity)
    {
        Add(tick, 4, (byte)(NoteOn | channel), (byte)key, (byte)velocity);
        // At one tick, a key is let go before it is struck again.
        Add(tick + Math.Max(1, ticks), 3, (byte)(NoteOff | channel), (byte)key, 0);
    }

    /// <summary>Cuts everything that still sounds on a channel.</summary>
    public void Silence(long tick, int channel)
    {
        Add(tick, 5, (byte)(ControlChange | channel), AllSoundOff, 0);
    }

    /// <summary>The file's bytes.</summary>
    /// <param name="lengthTicks">When the track ends, in milliseconds.</param>
    public byte[] ToBytes(long lengthTicks)
    {
        List<byte> track = [0, 0xFF, 0x51, 3, 0x0F, 0x42, 0x40]; // tempo: 1,000,000 microseconds a quarter note
        long now = 0;
        foreach (var (tick, _, bytes) in _events.OrderBy(e => e.Tick).ThenBy(e => e.Order))
        {
            AddVariableLength(track, tick - now);
            track.AddRange(bytes);
            now = tick;
        }
        AddVariableLength(track, Math.Max(0, lengthTicks - now));
        track.AddRange([0xFF, 0x2F, 0]);

        byte[] file = new byte[22 + track.Count];
        "MThd"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(4), 6);
        BinaryPrimitives.WriteInt16BigEndian(file.AsSpan(8), 0);
        BinaryPrimitives.WriteInt16BigEndian(file.AsSpan(10), 1);
        BinaryPrimitives.WriteInt16BigEndian(file.AsSpan(12), 1000);
        "MTrk"u8.CopyTo(file.AsSpan(14));
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(18), track.Count);
        track.CopyTo(file, 22);
        return file;
    }

    private void Add(long tick, int order, params byte[] bytes) => _events.Add((tick, order, bytes));

    private static void AddVariableLength(List<byte> track, long value)
    {
        int at = track.Count;
        track.Add((byte)(value & 0x7F));
        while ((value >>= 7) > 0)
            track.Insert(at, (byte)(0x80 | (value & 0x7F)));
    }
}
