using System.Text.Json;

namespace FlamingoSharp.Training.Sounds;

/// <summary>Decoded and rendered sounds in one packed file: mono, 16 bits, peak-normalised.</summary>
/// <remarks>
/// <c>sounds.pcm</c> holds the samples (little-endian int16), <c>sounds.jsonl</c> one line a sound with its place.
/// Sounds are listed in the order of the data files.
/// </remarks>
public sealed class SoundStore : PackedStore
{
    internal const string Format = "flamingo-sounds", DataName = "sounds.pcm", IndexName = "sounds.jsonl";

    private SoundStore(string dataPath, SoundStoreSettings settings, IReadOnlyList<StoreLine> lines)
        : base(dataPath, lines) => Settings = settings;

    /// <summary>What the sounds were made with.</summary>
    public SoundStoreSettings Settings { get; }

    /// <summary>Opens a store for reading.</summary>
    /// <param name="folder">Where <see cref="RenderSounds"/> wrote it.</param>
    /// <exception cref="FlamingoException">There is no store, or it is of another format.</exception>
    public static SoundStore Open(string folder)
    {
        string data = Path.Combine(folder, DataName);
        var (header, lines) = PackedFile.ReadIndex(data, Path.Combine(folder, IndexName), Format, sizeof(short));
        var settings = JsonSerializer.Deserialize(header.Settings, SoundJson.Default.SoundStoreSettings)!;
        return new(data, settings, lines);
    }

    /// <summary>A sound's samples; valid until the store is disposed.</summary>
    /// <exception cref="KeyNotFoundException">The sound is not in the store.</exception>
    public ReadOnlySpan<short> Read(string id) => Data.Read<short>(Entry(id).Offset, Entry(id).Count);
}

/// <summary>What all sounds of a store have in common.</summary>
/// <param name="SampleRate">In Hz.</param>
/// <param name="MaxSeconds">Longest stretch kept of a sound, in seconds.</param>
public sealed record SoundStoreSettings(int SampleRate, double MaxSeconds);
