using FlamingoSharp.Training.Sounds;

namespace FlamingoSharp.Training.Tests.Sounds;

public sealed class MidiFileTests
{
    [Fact]
    public void Writes_a_standard_midi_file()
    {
        MidiFile midi = new();
        midi.Program(0, channel: 0, program: 40);
        midi.Play(0, 200, channel: 0, key: 60, velocity: 100);
        byte[] expected =
        [
            .. "MThd"u8, 0, 0, 0, 6, 0, 0, 0, 1, 0x03, 0xE8, // format 0, one track, 1000 ticks a quarter note
            .. "MTrk"u8, 0, 0, 0, 28,
            0, 0xFF, 0x51, 3, 0x0F, 0x42, 0x40, // a quarter note lasts one second
            0, 0xB0, 0, 0, // bank 0
            0, 0xC0, 40,
            0, 0x90, 60, 100,
            0x81, 0x48, 0x80, 60, 0, // 200 ticks later
            0x84, 0x58, 0xFF, 0x2F, 0, // the track ends at 800 ticks
        ];
        Assert.Equal(expected, midi.ToBytes(800));
    }

    [Fact]
    public void Lets_a_key_go_before_it_is_struck_again_at_the_same_time()
    {
        MidiFile midi = new();
        midi.Play(500, 500, channel: 9, key: 38, velocity: 90);
        midi.Play(0, 500, channel: 9, key: 38, velocity: 80);
        byte[] events = midi.ToBytes(1000)[29..];
        Assert.Equal([0, 0x99, 38, 80, 0x83, 0x74, 0x89, 38, 0, 0, 0x99, 38, 90, 0x83, 0x74, 0x89, 38, 0, 0, 0xFF, 0x2F, 0], events);
    }
}
