using System.Runtime.InteropServices;
using FlamingoSharp.Audio;
using FlamingoSharp.TestKit;
using FlamingoSharp.Training.Sounds;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Tests.Sounds;

public sealed class MelStoreTests : IDisposable
{
    private readonly SoundFolder _folder = new();

    [Fact, NoTensorLeak]
    public void Holds_the_spectrograms_that_a_model_would_hear()
    {
        var options = Build();
        using var store = MelStore.Open(options.OutputFolder);
        Assert.Equal((256, 256 * 64), (store.Options.Frames, store.Options.WindowValues));
        Assert.Equal(options.Front, store.Options);
        Assert.Equal((1, 2), (store.WindowsOf("dog_1"), store.WindowsOf("long_1")));
        Assert.Equal((true, false), (store.IsCut("long_1"), store.IsCut("dog_1")));
        Assert.Equal("val", store.SplitOf("long_1"));
        Clip clip = new() { Id = "long_1" };
        ToneRecipe recipe = new() { Id = "long_1", Wave = "sine" };
        Assert.Equal((true, false, false), (store.IsUsable(clip), store.IsUsable(recipe), store.IsUsable(clip with { Id = "other" })));

        var windows = options.Front.Windows with { PadToMaxWindows = false };
        var cut = AudioWindows.Cut(SoundFile.Load(Path.Combine(_folder.Audio, "pack", "long.wav"), SoundOptions.For(windows)), windows);
        using var scope = NewDisposeScope();
        using LogMel mel = new(options.Front.Mel);
        var expected = mel.Compute(cut.ToTensor()).to(ScalarType.Float16).contiguous();
        var values = MemoryMarshal.Cast<byte, Half>(expected.bytes);
        for (int window = 0; window < 2; window++)
            Assert.Equal(values.Slice(window * 256 * 64, 256 * 64).ToArray(), store.Read("long_1", window).ToArray());
    }

    [Fact, NoTensorLeak]
    public void Goes_on_where_it_was_stopped()
    {
        var options = Build();
        string data = Path.Combine(options.OutputFolder, "mels.f16"), index = Path.Combine(options.OutputFolder, "mels.jsonl");
        byte[] values = File.ReadAllBytes(data);
        string lines = File.ReadAllText(index);
        File.WriteAllText(index, lines[..^150]);
        BuildMels.Run(options);
        Assert.Equal(values, File.ReadAllBytes(data));
        Assert.Equal(lines, File.ReadAllText(index));
    }

    [Fact]
    public void Refuses_sounds_of_another_rate()
    {
        RenderSounds.Run(_folder.Options("sounds"));
        BuildMelsOptions options = new() { SoundFolder = Path.Combine(_folder.Root, "sounds"), OutputFolder = Path.Combine(_folder.Root, "mels") };
        var other = options with { Front = options.Front with { Windows = options.Front.Windows with { SampleRate = 16000 } } };
        var error = Assert.Throws<FlamingoException>(() => BuildMels.Run(other));
        Assert.Equal($"The sounds of '{options.SoundFolder}' are sampled at 32000 Hz but the windows need 16000 Hz: render them again at that rate.", error.Message);
    }

    [Fact]
    public void Says_that_there_is_no_store()
    {
        var error = Assert.Throws<FlamingoException>(() => MelStore.Open(_folder.Root));
        Assert.Equal($"'{Path.Combine(_folder.Root, "mels.jsonl")}' does not exist: prepare the sounds first.", error.Message);
    }

    public void Dispose() => _folder.Dispose();

    private BuildMelsOptions Build()
    {
        RenderSounds.Run(_folder.Options("sounds"));
        BuildMelsOptions options = new() { SoundFolder = Path.Combine(_folder.Root, "sounds"), OutputFolder = Path.Combine(_folder.Root, "mels") };
        BuildMels.Run(options);
        return options;
    }
}
