using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>Sounds as a model has heard them, kept while they are asked about again and again.</summary>
/// <param name="flamingo">Hears.</param> <param name="most">Sounds kept beyond a batch.</param>
internal sealed class HeardSounds(Flamingo flamingo, int most = 4096) : IDisposable
{
    private readonly Dictionary<(string Path, double Start, double? Duration), Sound> _sounds = [];

    /// <summary>Hears a sound, if it was not heard before.</summary>
    /// <exception cref="FlamingoException">The file is no sound, or is gone.</exception>
    public void Hear(IndexedSound sound, CancellationToken cancellation)
    {
        var key = (sound.Path, sound.StartSeconds, sound.DurationSeconds);
        if (!_sounds.ContainsKey(key))
            _sounds.Add(key, flamingo.Hear(sound.Path, sound.StartSeconds, sound.DurationSeconds, cancellation: cancellation));
    }

    /// <summary>A sound that was heard.</summary>
    public Sound Of(IndexedSound sound) => _sounds[(sound.Path, sound.StartSeconds, sound.DurationSeconds)];

    /// <summary>An example that was heard.</summary>
    public Sound Of(ShotEntry shot) => _sounds[(shot.Path, shot.StartSeconds, shot.DurationSeconds)];

    /// <summary>Forgets all where there are too many; between batches, when nothing asks for them.</summary>
    public void Trim()
    {
        if (_sounds.Count <= most)
            return;
        Dispose();
        _sounds.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var sound in _sounds.Values)
            sound.Dispose();
    }
}
