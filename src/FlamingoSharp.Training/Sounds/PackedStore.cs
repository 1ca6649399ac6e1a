namespace FlamingoSharp.Training.Sounds;

/// <summary>Something about every sound of a catalogue, packed into one file that is read in place.</summary>
public abstract class PackedStore : IDisposable
{
    private readonly Dictionary<string, StoreLine> _entries;

    private protected PackedStore(string dataPath, IReadOnlyList<StoreLine> lines)
    {
        _entries = lines.ToDictionary(l => l.Id);
        Ids = [.. lines.Select(l => l.Id)];
        Data = new(dataPath);
    }

    /// <summary>Sounds in the store, in the order of the data files.</summary>
    public IReadOnlyList<string> Ids { get; }

    private protected MappedFile Data { get; }

    /// <summary>True if the sound is in the store.</summary>
    public bool Contains(string id) => _entries.ContainsKey(id);

    /// <summary>train, val, test or demo.</summary>
    /// <exception cref="KeyNotFoundException">The sound is not in the store.</exception>
    public string SplitOf(string id) => _entries[id].Split;

    /// <summary>True if the sound goes on beyond what the store keeps.</summary>
    /// <exception cref="KeyNotFoundException">The sound is not in the store.</exception>
    public bool IsCut(string id) => _entries[id].Cut;

    /// <inheritdoc/>
    public void Dispose()
    {
        Data.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected StoreLine Entry(string id) => _entries[id];
}
