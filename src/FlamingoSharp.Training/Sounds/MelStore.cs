using System.Text.Json;
using FlamingoSharp.Audio;
using FlamingoSharp.Encoders;

namespace FlamingoSharp.Training.Sounds;

/// <summary>What the windows of a <see cref="MelStore"/> were computed with. Defaults: the small encoder trained with this library.</summary>
public sealed record MelStoreOptions
{
    /// <summary>How sounds are cut: windows of 5.1 s, one after the other, at most two.</summary>
    public WindowOptions Windows { get; init; } = new() { SampleRate = 32000, LengthSeconds = 5.1, OverlapSeconds = 0, MaxWindows = 2 };

    /// <summary>The spectrogram: with a hop of 20 ms, 256 frames a window.</summary>
    public MelOptions Mel { get; init; } = new() { SampleRate = 32000, FftSize = 1024, Hop = 640, Mels = 64, MinimumHz = 50, MaximumHz = 14000 };

    /// <summary>Frames of one window.</summary>
    public int Frames => Mel.Frames(Windows.WindowSamples);

    /// <summary>Numbers of one window: frames times mel bands.</summary>
    public int WindowValues => Frames * Mel.Mels;
}

/// <summary>Log-mel spectrograms of every window of every sound, ready to be batched.</summary>
/// <remarks>
/// <c>mels.f16</c> holds the windows, each [frames, mels] in half precision, row by row (decibels need no more: one step is 0.06 dB
/// at most); <c>mels.jsonl</c> one line a sound with its first window and their number. Safe to read from several threads.
/// </remarks>
public sealed class MelStore : PackedStore
{
    internal const string Format = "flamingo-mels", DataName = "mels.f16", IndexName = "mels.jsonl";

    private MelStore(string dataPath, MelStoreOptions options, IReadOnlyList<StoreLine> lines)
        : base(dataPath, lines) => Options = options;

    /// <summary>What the windows were computed with.</summary>
    public MelStoreOptions Options { get; }

    /// <summary>Opens a store for reading.</summary>
    /// <param name="folder">Where <see cref="BuildMels"/> wrote it.</param>
    /// <exception cref="FlamingoException">There is no store, or it is of another format.</exception>
    public static MelStore Open(string folder)
    {
        string data = Path.Combine(folder, DataName), index = Path.Combine(folder, IndexName);
        // The size of an item stands in the header, so the header is read first.
        var (header, _) = PackedFile.ReadIndex(data, index, Format, itemBytes: 1);
        var options = JsonSerializer.Deserialize(header.Settings, SoundJson.Default.MelStoreOptions)!;
        var (_, lines) = PackedFile.ReadIndex(data, index, Format, options.WindowValues * 2);
        return new(data, options, lines);
    }

    /// <summary>Opens a store that an encoder is to learn from or to hear.</summary>
    /// <param name="folder">Where <see cref="BuildMels"/> wrote it.</param> <param name="encoder">Whose front end the spectrograms must have.</param>
    /// <exception cref="FlamingoException">There is no store, it is of another format, or it was made by another front end.</exception>
    public static MelStore Open(string folder, HtsatOptions encoder)
    {
        var store = Open(folder);
        if (store.Options.Mel == encoder.Mel && store.Options.Windows.WindowSamples == encoder.WindowSamples)
            return store;
        store.Dispose();
        throw new FlamingoException(FlamingoErrorKind.Usage,
            $"The spectrograms in '{folder}' were made by another front end ({store.Options.Mel}) than the encoder's ({encoder.Mel}). Build them anew.");
    }

    /// <summary>
    /// True if training may use the sound: it is here, and if it is a recipe, it is not cut (its count, order and caption hold for
    /// the whole of it only). The filter to give to <see cref="TrainingTexts"/>.
    /// </summary>
    /// <param name="sound">A clip or recipe.</param>
    public bool IsUsable(LabelledSound sound) => Contains(sound.Id) && !(IsCut(sound.Id) && sound is Recipe);

    /// <summary>Windows of a sound, at least 1.</summary>
    /// <exception cref="KeyNotFoundException">The sound is not in the store.</exception>
    public int WindowsOf(string id) => Entry(id).Count;

    /// <summary>One window; valid until the store is disposed.</summary>
    /// <param name="id">The sound.</param>
    /// <param name="window">0 to <see cref="WindowsOf"/> - 1.</param>
    /// <returns>[frames, mels], in decibels.</returns>
    /// <exception cref="KeyNotFoundException">The sound is not in the store.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The sound has no such window.</exception>
    public ReadOnlySpan<Half> Read(string id, int window)
    {
        var entry = Entry(id);
        ArgumentOutOfRangeException.ThrowIfNegative(window);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(window, entry.Count);
        return Data.Read<Half>((entry.Offset + window) * Options.WindowValues, Options.WindowValues);
    }

    /// <summary>Copies one window.</summary>
    /// <param name="id">The sound.</param> <param name="window">0 to <see cref="WindowsOf"/> - 1.</param>
    /// <param name="mel">Receives it: [frames, mels], in decibels.</param>
    /// <inheritdoc cref="Read" path="/exception"/>
    internal void CopyTo(string id, int window, Span<float> mel)
    {
        var stored = Read(id, window);
        for (int i = 0; i < stored.Length; i++)
            mel[i] = (float)stored[i];
    }
}
