using System.Runtime.InteropServices;
using System.Text.Json;
using FlamingoSharp.Audio;
using FlamingoSharp.Runtime;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Sounds;

/// <summary>What <see cref="BuildMels"/> reads and writes.</summary>
public sealed record BuildMelsOptions
{
    /// <summary>Folder of the <see cref="SoundStore"/>.</summary>
    public required string SoundFolder { get; init; }

    /// <summary>Where the <see cref="MelStore"/> is written; one that is already there is completed.</summary>
    public required string OutputFolder { get; init; }

    /// <summary>Windows and spectrogram.</summary>
    public MelStoreOptions Front { get; init; } = new();
}

/// <summary>Computes the windows of every sound of a <see cref="SoundStore"/> into a <see cref="MelStore"/>.</summary>
public static class BuildMels
{
    /// <summary>Computes what is missing. Stopping at any time loses only the sound at work.</summary>
    /// <param name="options">What to compute.</param>
    /// <param name="progress">Told after every sound.</param>
    /// <param name="ct">Stops the work.</param>
    /// <exception cref="FlamingoException">There is no sound store, its rate is another, or the folder holds a store made with other settings.</exception>
    /// <exception cref="OperationCanceledException">The work was stopped.</exception>
    public static void Run(BuildMelsOptions options, IProgress<SoundProgress>? progress = null, CancellationToken ct = default)
    {
        NativeRuntime.EnsureLoaded();
        var front = options.Front;
        using var sounds = SoundStore.Open(options.SoundFolder);
        if (sounds.Settings.SampleRate != front.Windows.SampleRate)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"The sounds of '{options.SoundFolder}' are sampled at {sounds.Settings.SampleRate} Hz but the windows need {front.Windows.SampleRate} Hz: render them again at that rate.");
        }
        Directory.CreateDirectory(options.OutputFolder);
        string settings = JsonSerializer.Serialize(front, SoundJson.Default.MelStoreOptions);
        using var store = PackedFile.OpenForAppend(
            Path.Combine(options.OutputFolder, MelStore.DataName), Path.Combine(options.OutputFolder, MelStore.IndexName),
            new(MelStore.Format, 1, settings), front.WindowValues * 2);
        using LogMel mel = new(front.Mel);
        foreach (string id in sounds.Ids)
        {
            ct.ThrowIfCancellationRequested();
            if (store.Entries.ContainsKey(id))
                continue;
            var (windows, dropped) = Compute(sounds.Read(id), id, front, mel);
            store.Append(id, sounds.SplitOf(id), MemoryMarshal.AsBytes(windows.AsSpan()), sounds.IsCut(id) || dropped);
            progress?.Report(new(store.Entries.Count, sounds.Ids.Count, 0));
        }
    }

    private static (Half[] Windows, bool Dropped) Compute(ReadOnlySpan<short> samples, string id, MelStoreOptions front, LogMel mel)
    {
        using var scope = NewDisposeScope();
        double[] signal = new double[samples.Length];
        for (int i = 0; i < signal.Length; i++)
            signal[i] = (samples[i] + (0.5 * Math.Sign(samples[i]))) / 32767; // halfway to the next step: rounding again gives the same number
        var cut = AudioWindows.Cut(new Recording(signal, front.Windows.SampleRate) { Name = id }, front.Windows with { PadToMaxWindows = false });
        var values = mel.Compute(cut.ToTensor()).to(ScalarType.Float16).contiguous(); // [windows, frames, mels]
        return (MemoryMarshal.Cast<byte, Half>(values.bytes).ToArray(), cut.SecondsDropped > 0);
    }
}
